//! The body of an observed function.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprAsync, GenericArgument, Ident, PathArguments, ReturnType, Signature, Stmt, Type,
    TypeParamBound,
};

use crate::capture;

/// How a function gives back what it makes.
pub(crate) enum Shape {
    /// It returns.
    Plain,
    /// It never returns.
    Never,
    /// It is an `async fn`.
    Async,
    /// It returns a future of this output, on the heap or not.
    Future { boxed: bool, output: Output },
}

/// What a future gives, where its type says it.
pub(crate) struct Output(Option<Box<Type>>);

impl Shape {
    pub(crate) fn of(signature: &Signature) -> Self {
        let ReturnType::Type(_, returned) = &signature.output else {
            return if signature.asyncness.is_some() { Self::Async } else { Self::Plain };
        };
        match &**returned {
            _ if signature.asyncness.is_some() => Self::Async,
            Type::Never(_) => Self::Never,
            Type::ImplTrait(opaque) => match future_output(&opaque.bounds) {
                Some(output) => Self::Future { boxed: false, output },
                None => Self::Plain,
            },
            other => match boxed_future(other) {
                Some(output) => Self::Future { boxed: true, output },
                None => Self::Plain,
            },
        }
    }
}

/// The output of the future among the bounds, if there is one.
fn future_output<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Output> {
    bounds.into_iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Some(Output(None)) };
        let output = arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => {
                Some(Box::new(output.ty.clone()))
            }
            _ => None,
        });
        Some(Output(output))
    })
}

/// The output of `Pin<Box<dyn Future<Output = T>>>`, or of an alias of it that is known.
fn boxed_future(returned: &Type) -> Option<Output> {
    if let Some(alias) = ["BoxFuture", "LocalBoxFuture"].into_iter().find_map(|name| inside(returned, name)) {
        return Some(Output(Some(Box::new(alias.clone()))));
    }
    match inside(inside(returned, "Pin")?, "Box")? {
        Type::TraitObject(object) => future_output(&object.bounds),
        _ => None,
    }
}

/// The last type argument of a path that ends with this name.
fn inside<'a>(outer: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = outer else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().rev().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

/// Whether what is returned is to be shown: of an `impl Trait` only what its bounds promise is anybody's business.
pub(crate) fn shows(returned: &ReturnType) -> bool {
    let ReturnType::Type(_, returned) = returned else { return true };
    let Type::ImplTrait(opaque) = &**returned else { return true };
    future_output(&opaque.bounds).is_some()
        || opaque.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => bound
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Serialize" || last.ident == "Debug"),
            _ => false,
        })
}

/// What a body is built from.
pub(crate) struct Parts<'a> {
    pub(crate) root: &'a TokenStream,
    /// The name of the span in the code around the body.
    pub(crate) span: &'a Ident,
    /// The name under which the body has it.
    pub(crate) handle: Option<&'a Ident>,
    /// The statement that starts it.
    pub(crate) start: TokenStream,
    /// Whether what is returned is recorded.
    pub(crate) output: bool,
}

impl Parts<'_> {
    /// The body of a function that is observed.
    pub(crate) fn body(&self, shape: Shape, returned: &ReturnType, body: &mut Block) -> TokenStream {
        match shape {
            Shape::Plain => self.plain(returned, body),
            Shape::Never => self.never(body),
            Shape::Async => self.awaited(declared(returned), body),
            Shape::Future { boxed, output } => self.future(boxed, &output, returned, body),
        }
    }

    fn plain(&self, returned: &ReturnType, body: &Block) -> TokenStream {
        let here = Span::mixed_site();
        let Self { root, span, start, .. } = self;
        let (returned, finish) = (closure_output(returned), self.finish());
        let handle =
            self.handle.map_or_else(|| quote_spanned!(here=> _), |handle| quote_spanned!(here=> #handle));
        quote_spanned!(here=> #start #root::__macro::call(#span, move |#handle| #returned #body, #finish))
    }

    /// It can only end by a panic, or with the program.
    fn never(&self, body: &Block) -> TokenStream {
        let here = Span::mixed_site();
        let (Self { root, span, start, .. }, lent) = (self, self.lent());
        let entered = Ident::new("entered", here);
        quote_spanned!(here=> #start let #entered = #root::__macro::enter(&#span); #lent #body)
    }

    /// Statements that await the body and end the span with what it gives.
    fn awaited(&self, output: Option<&Type>, body: &Block) -> TokenStream {
        let here = Span::mixed_site();
        let Self { root, span, start, .. } = self;
        let (lent, hint, finish) = (self.lent(), output.map(hint), self.finish());
        let [context, result] = ["context", "result"].map(|name| Ident::new(name, here));
        let block =
            hint.map_or_else(|| quote_spanned!(here=> #body), |hint| quote_spanned!(here=> { #hint #body }));
        quote_spanned! {here=>
            #start
            let #context = #root::__macro::awaited(&#span);
            #lent
            let #result = #root::__macro::within(#context, async move #block).await;
            #root::__macro::settle(#span, #result, #finish)
        }
    }

    /// A function that returns a future: the span starts when it is first polled where the body is nothing but an `async` block,
    /// as async-trait writes it, and else with the call.
    fn future(&self, boxed: bool, output: &Output, returned: &ReturnType, body: &mut Block) -> TokenStream {
        let here = Span::mixed_site();
        if let Some(block) = lone_async(body) {
            let inner = self.awaited(output.0.as_deref(), &block.block);
            block.capture = Some(syn::token::Move(here));
            block.block = syn::parse_quote_spanned!(here=> { #inner });
            let stmts = &body.stmts;
            return quote_spanned!(here=> #(#stmts)*);
        }
        let Self { root, span, start, .. } = self;
        let (closure, finish) = (closure_output(returned), self.finish());
        let [context, future, result] = ["context", "future", "result"].map(|name| Ident::new(name, here));
        let awaited = quote_spanned! {here=>
            async move {
                let #result = #root::__macro::within(#context, #future).await;
                #root::__macro::settle(#span, #result, #finish)
            }
        };
        let returned = if boxed { quote_spanned!(here=> ::std::boxed::Box::pin(#awaited)) } else { awaited };
        quote_spanned! {here=>
            #start
            let #context = #root::__macro::awaited(&#span);
            let #future = #root::__macro::scoped(#context.as_ref(), move || #closure #body);
            #returned
        }
    }

    /// The body's own name for the span.
    fn lent(&self) -> Option<TokenStream> {
        let (here, span) = (Span::mixed_site(), self.span);
        self.handle.map(|handle| quote_spanned!(here=> let #handle = &mut #span;))
    }

    /// The closure that records what is returned.
    fn finish(&self) -> TokenStream {
        let here = Span::mixed_site();
        let root = self.root;
        let [result, span, value, error] =
            ["result", "span", "value", "error"].map(|name| Ident::new(name, here));
        let payload = capture::payload(&quote_spanned!(here=> #value), root);
        let output = if self.output {
            quote_spanned!(here=> (#value) => #root::__macro::output(#span, || #payload))
        } else {
            quote_spanned!(here=> (_) => {})
        };
        let ways = [
            "ErrorOfError",
            "ErrorOfAsRef",
            "ErrorOfAsRefSend",
            "ErrorOfDisplay",
            "ErrorOfDebug",
            "ErrorOfAny",
        ];
        let described = capture::asked(&quote_spanned!(here=> #error), root, "error", &ways);
        quote_spanned! {here=>
            |#result, #span| {
                // In the user's crate: a result that is found without the trait leaves it unused.
                #[allow(unused_imports)]
                use #root::__macro::Whole as _;
                match #root::__macro::Probe(#result).__obs_result() {
                    ::core::result::Result::Ok #output,
                    ::core::result::Result::Err(#error) => #root::__macro::fail(#span, || #described),
                }
            }
        }
    }
}

/// Tells an `async` block its output, since it cannot be written: without it `?` and early returns of closures, boxes and the
/// like would lack their type.
fn hint(output: &Type) -> TokenStream {
    let here = Span::mixed_site();
    let returned = Ident::new("returned", here);
    let output = erased(output);
    quote_spanned! {here=>
        if let ::core::option::Option::Some(#returned) = ::core::option::Option::None::<#output> {
            #[allow(unreachable_code)]
            return #returned;
        }
    }
}

/// The output that is worth telling: neither `()`, nor what cannot be a value.
fn declared(returned: &ReturnType) -> Option<&Type> {
    match returned {
        ReturnType::Type(_, returned) if !matches!(**returned, Type::Never(_)) => Some(returned),
        _ => None,
    }
}

/// The return type as a closure may have it.
fn closure_output(returned: &ReturnType) -> TokenStream {
    let here = Span::mixed_site();
    match returned {
        ReturnType::Default => quote_spanned!(here=> -> ()),
        ReturnType::Type(arrow, returned) => {
            let returned = erased(returned);
            quote_spanned!(here=> #arrow #returned)
        }
    }
}

/// The type with every `impl Trait` left to the compiler to find.
fn erased(output: &Type) -> Type {
    struct Erase;
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, node: &mut Type) {
            if matches!(node, Type::ImplTrait(_)) {
                *node = syn::parse_quote!(_);
            } else {
                visit_mut::visit_type_mut(self, node);
            }
        }
    }
    let mut output = output.clone();
    Erase.visit_type_mut(&mut output);
    output
}

/// The `async` block that is all of a body, in `Box::pin` or not.
pub(crate) fn lone_async(body: &mut Block) -> Option<&mut ExprAsync> {
    let [Stmt::Expr(only, None)] = &mut body.stmts[..] else { return None };
    match only {
        Expr::Async(block) => Some(block),
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let mut names = function.path.segments.iter().rev().map(|segment| &segment.ident);
            let pinned = names.next().is_some_and(|n| n == "pin") && names.next().is_some_and(|n| n == "Box");
            match call.args.first_mut() {
                Some(Expr::Async(block)) if pinned => Some(block),
                _ => None,
            }
        }
        _ => None,
    }
}
