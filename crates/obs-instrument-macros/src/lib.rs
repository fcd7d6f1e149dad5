#![doc = include_str!("../README.md")]

mod arguments;
mod block;
mod body;
mod capture;
mod function;
mod options;
mod suggest;
mod types;

use proc_macro2::TokenStream;
use syn::{Item, TraitItemFn};

use crate::options::Options;

/// Placeholder.
#[proc_macro_attribute]
pub fn observe(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    let observed = Options::parse(arguments.into()).and_then(|options| expand(&options, item.clone()));
    // What does not expand stays as it was, so that nothing else complains that it is missing.
    observed
        .unwrap_or_else(|error| [error.into_compile_error(), block::bare(item)].into_iter().collect())
        .into()
}

fn expand(options: &Options, item: TokenStream) -> syn::Result<TokenStream> {
    if let Ok(function) = syn::parse2::<TraitItemFn>(item.clone())
        && function.default.is_none()
    {
        return Err(syn::Error::new_spanned(
            function.sig,
            "this method has no body to observe: put `#[observe]` on the methods of the impl blocks",
        ));
    }
    match syn::parse2(item)? {
        Item::Fn(item) => function::expand(options, item),
        Item::Impl(item) => block::expand(options, item),
        other => Err(refused(&other)),
    }
}

fn refused(item: &Item) -> syn::Error {
    let what = match item {
        Item::Struct(_) => "a struct",
        Item::Enum(_) => "an enum",
        Item::Trait(_) => "a trait",
        Item::Mod(_) => "a module",
        _ => "something else",
    };
    let message = format!("`#[observe]` goes on a function, a method or an impl block; this is {what}");
    syn::Error::new_spanned(item, message)
}
