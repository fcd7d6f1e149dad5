//! What is told of a call at its start: typed fields, arguments and attributes.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, Lit, Member, Pat, Signature, Token};

use crate::arguments::{Errors, known_names};
use crate::options::{Input, Options};
use crate::types::{Field, Form};

/// A name that the arguments bind.
pub(crate) struct Bound {
    name: Ident,
    /// The `cfg`s of its argument.
    cfgs: Vec<Attribute>,
}

impl Bound {
    pub(crate) fn text(&self) -> String {
        self.name.unraw().to_string()
    }
}

/// Every name that the arguments bind but `self`.
pub(crate) fn bound(signature: &Signature) -> Vec<Bound> {
    let mut all = Vec::new();
    for argument in &signature.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        let cfgs: Vec<_> = argument.attrs.iter().filter(|a| a.path().is_ident("cfg")).cloned().collect();
        let mut names = Vec::new();
        collect(&argument.pat, &mut names);
        all.extend(names.into_iter().map(|name| Bound { name, cfgs: cfgs.clone() }));
    }
    all
}

fn collect(pattern: &Pat, names: &mut Vec<Ident>) {
    match pattern {
        Pat::Ident(pattern) => {
            names.push(pattern.ident.clone());
            if let Some((_, inner)) = &pattern.subpat {
                collect(inner, names);
            }
        }
        Pat::Paren(pattern) => collect(&pattern.pat, names),
        Pat::Reference(pattern) => collect(&pattern.pat, names),
        Pat::Slice(pattern) => collect_all(&pattern.elems, names),
        Pat::Struct(pattern) => pattern.fields.iter().for_each(|field| collect(&field.pat, names)),
        Pat::Tuple(pattern) => collect_all(&pattern.elems, names),
        Pat::TupleStruct(pattern) => collect_all(&pattern.elems, names),
        Pat::Type(pattern) => collect(&pattern.pat, names),
        _ => {}
    }
}

fn collect_all(patterns: &Punctuated<Pat, Token![,]>, names: &mut Vec<Ident>) {
    patterns.iter().for_each(|pattern| collect(pattern, names));
}

/// The statement that starts the span, which is `span` from then on.
pub(crate) fn start(
    options: &Options,
    signature: &Signature,
    name: &str,
    span: &Ident,
    errors: &mut Errors,
) -> TokenStream {
    let here = Span::mixed_site();
    let root = options.root();
    let kind = path(options.span_type().kind);
    let none = || quote_spanned!(here=> ::core::option::Option::None);
    let some = |registry| quote_spanned!(here=> ::core::option::Option::Some(#registry));
    let registry = options.registry.as_ref().map_or_else(none, some);
    let tell = tell(options, &root, errors);
    let note = note(options, signature, &root, errors);
    let mutable = options.span.as_ref().map(|_| quote_spanned!(here=> mut));
    quote_spanned! {here=>
        let #mutable #span = #root::__macro::start::<#root::#kind>(#registry, #name, #tell, #note);
    }
}

/// `core::AgentRun` as tokens.
fn path(text: &str) -> TokenStream {
    let here = Span::mixed_site();
    let names = text.split("::").map(|name| Ident::new(name, here));
    quote_spanned!(here=> #(#names)::*)
}

/// The closure that fills the typed fields.
fn tell(options: &Options, root: &TokenStream, errors: &mut Errors) -> TokenStream {
    let here = Span::mixed_site();
    let typed = options.typed_fields(errors);
    if typed.is_empty() {
        return quote_spanned!(here=> |_| {});
    }
    let fields = Ident::new("fields", here);
    let set = typed.into_iter().map(|(field, value)| {
        let place = field.place.split('.').map(|name| Member::Named(Ident::new(name, here)));
        let value = filled(field, value, root);
        quote_spanned!(here=> #fields #(.#place)* = #value;)
    });
    quote_spanned!(here=> |#fields| { #(#set)* })
}

/// What a field is set to.
fn filled(field: &Field, value: &Expr, root: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    let some = quote_spanned!(here=> ::core::option::Option::Some);
    let text = matches!(field.form, Form::Name | Form::Text);
    if let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value
        && text
    {
        return quote_spanned!(here=> #some(#root::core::Str::from_static(#literal)));
    }
    match field.form {
        Form::Name => probed(value, root, "name", &["NameOfOption", "NameOfText", "NameOfDisplay"]),
        Form::Text => probed(value, root, "text", &["TextOfOption", "TextOfText", "TextOfDisplay"]),
        Form::Payload => payload(&quote_spanned!(here=> &(#value)), root),
        Form::Small => quote_spanned!(here=> #root::__macro::Count::small(#value)),
        Form::Large => quote_spanned!(here=> #root::__macro::Count::large(#value)),
        Form::Real => quote_spanned!(here=> #root::__macro::Real::real(#value)),
        Form::Flag => quote_spanned!(here=> #some(#value)),
    }
}

/// The closure that notes arguments and attributes.
fn note(options: &Options, signature: &Signature, root: &TokenStream, errors: &mut Errors) -> TokenStream {
    let here = Span::mixed_site();
    let notes = Ident::new("notes", here);
    let bound = bound(signature);
    let known: Vec<_> = bound.iter().map(Bound::text).collect();
    let listed = options.skip.iter().chain(options.rename.iter().map(|(name, _)| name));
    known_names(listed, &known, &format!("`{}` has no", signature.ident), errors);

    let mut all = Vec::new();
    match &options.input {
        None | Some(Input::Arguments) => {
            let kept =
                bound.iter().filter(|bound| !options.skip.iter().any(|skip| skip.unraw() == bound.text()));
            all.extend(kept.map(|bound| argument(bound, options, root, &notes)));
        }
        Some(Input::Nothing) => {}
        Some(Input::Value(value)) => {
            let payload = payload(&quote_spanned!(here=> &(#value)), root);
            all.push(quote_spanned!(here=> #notes.input(#payload);));
        }
    }
    for (key, value) in &options.attributes {
        let ways = ["ValueOfOwn", "ValueOfSerialize", "ValueOfDisplay", "ValueOfDebug"];
        let value = probed(value, root, "value", &ways);
        all.push(quote_spanned!(here=> #notes.attribute(#key, #value);));
    }
    if all.is_empty() {
        return quote_spanned!(here=> |_| {});
    }
    quote_spanned!(here=> |#notes| { #(#all)* })
}

/// The statement that notes one argument.
fn argument(bound: &Bound, options: &Options, root: &TokenStream, notes: &Ident) -> TokenStream {
    let here = Span::mixed_site();
    let Bound { name, cfgs } = bound;
    let renamed = options.rename.iter().find(|(old, _)| old.unraw() == bound.text());
    let key = renamed.map_or_else(|| bound.text(), |(_, new)| new.value());
    let ways = ["ArgumentOfSerialize", "ArgumentOfDebug", "ArgumentOfAny"];
    let value = asked(&quote_spanned!(here=> &#name), root, "argument", &ways);
    quote_spanned!(here=> #(#cfgs)* #notes.argument(#key, #value);)
}

/// The value of an expression as a payload, if it has one to show.
pub(crate) fn payload(reference: &TokenStream, root: &TokenStream) -> TokenStream {
    asked(
        reference,
        root,
        "payload",
        &["PayloadOfUnit", "PayloadOfSerialize", "PayloadOfDebug", "PayloadOfAny"],
    )
}

fn probed(value: &Expr, root: &TokenStream, what: &str, ways: &[&str]) -> TokenStream {
    asked(&quote_spanned!(Span::mixed_site()=> &(#value)), root, what, ways)
}

/// Asks a value for `what`, in the first of the ways that its type has.
///
/// Each way is a trait for one more reference to a probe than the next one, so that the compiler, which looks for a method
/// by taking references away, meets them in this order.
/// The value is bound before the traits come into scope, so that they change nothing in the user's expression.
pub(crate) fn asked(reference: &TokenStream, root: &TokenStream, what: &str, ways: &[&str]) -> TokenStream {
    let here = Span::mixed_site();
    let value = Ident::new("value", here);
    let method = format_ident!("__obs_{what}", span = here);
    let traits = ways.iter().map(|way| Ident::new(way, here));
    let references = ways.iter().map(|_| quote_spanned!(here=> &));
    quote_spanned! {here=>
        match #reference {
            #value => {
                // In the user's crate: of all ways a value is found by one, and the others stay unused.
                #[allow(unused_imports)]
                use #root::__macro::{#(#traits as _),*};
                (#(#references)* #root::__macro::Probe(#value)).#method()
            }
        }
    }
}
