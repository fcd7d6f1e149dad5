//! Observed impl blocks.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, ImplItem, ImplItemFn, ItemImpl, Meta};

use crate::arguments::{Errors, known_names};
use crate::capture;
use crate::function;
use crate::options::Options;

/// Every method of the block that has a receiver, and every other function of it that asks.
pub(crate) fn expand(options: &Options, mut block: ItemImpl) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    for (what, span) in [
        ("name", options.name.as_ref().map(syn::LitStr::span)),
        ("span", options.span.as_ref().map(proc_macro2::Ident::span)),
        ("skip", options.left_out),
    ] {
        if let Some(span) = span {
            errors.push(syn::Error::new(
                span,
                format!("`{what}` is for a method: write it in `#[observe(...)]` on the method"),
            ));
        }
    }
    check_arguments(options, &block, &mut errors);
    let prefix = options.prefix.as_ref().map(syn::LitStr::value);
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item
            && let Some(own) = errors.take(asked(options, method)).flatten()
        {
            function::observe(&own, &method.sig, &mut method.block, prefix.as_deref(), &mut errors);
        }
    }
    errors.finish()?;
    Ok(block.into_token_stream())
}

/// The item, if it is a block without the attributes of its methods.
pub(crate) fn bare(item: TokenStream) -> TokenStream {
    let Ok(mut block) = syn::parse2::<ItemImpl>(item.clone()) else { return item };
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            method.attrs.retain(|attribute| !is_observe(attribute));
        }
    }
    block.into_token_stream()
}

/// The options of a method that is to be observed; its own attribute is taken off.
fn asked(options: &Options, method: &mut ImplItemFn) -> syn::Result<Option<Options>> {
    let Some(at) = method.attrs.iter().position(is_observe) else {
        let observed = method.sig.receiver().is_some() && method.sig.constness.is_none();
        return Ok(observed.then(|| only_known(options, method)));
    };
    let attribute = method.attrs.remove(at);
    let own = match attribute.meta {
        Meta::Path(_) => Options::default(),
        Meta::List(list) => Options::parse(list.tokens)?,
        Meta::NameValue(pair) => {
            return Err(syn::Error::new_spanned(
                pair,
                "options stand in parentheses: `#[observe(name = \"...\")]`",
            ));
        }
    };
    if own.left_out.is_some() {
        return Ok(None);
    }
    if let Some(prefix) = &own.prefix {
        return Err(syn::Error::new(
            prefix.span(),
            "`prefix` is for the impl block; a method is named by `name = \"...\"`",
        ));
    }
    Ok(Some(own.within(&only_known(options, method))))
}

fn is_observe(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "observe")
}

/// The block's options without what they say of arguments that this method has not.
fn only_known(options: &Options, method: &ImplItemFn) -> Options {
    let known: Vec<_> = capture::bound(&method.sig).iter().map(capture::Bound::text).collect();
    let mut options = options.clone();
    options.skip.retain(|name| known.contains(&name.unraw().to_string()));
    options.rename.retain(|(name, _)| known.contains(&name.unraw().to_string()));
    options
}

/// What the block says of arguments is an error if no method has them.
fn check_arguments(options: &Options, block: &ItemImpl, errors: &mut Errors) {
    let methods = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    });
    let known: Vec<_> =
        methods.flat_map(|method| capture::bound(&method.sig)).map(|bound| bound.text()).collect();
    let listed = options.skip.iter().chain(options.rename.iter().map(|(name, _)| name));
    known_names(listed, &known, "no method of the block has an", errors);
}
