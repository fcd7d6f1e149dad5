//! Observed functions and methods.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Block, Ident, ItemFn, Signature, Stmt};

use crate::arguments::Errors;
use crate::body::{self, Parts, Shape};
use crate::capture;
use crate::options::Options;

/// A function or method that stands alone.
pub(crate) fn expand(options: &Options, mut function: ItemFn) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    if let Some(prefix) = &options.prefix {
        errors.push(syn::Error::new(
            prefix.span(),
            "`prefix` is for an impl block; a function is named by `name = \"...\"`",
        ));
    }
    if let Some(span) = options.left_out {
        errors.push(syn::Error::new(
            span,
            "a lone `skip` leaves a method out of its observed impl block; here, remove `#[observe]`, or name arguments: `skip(argument)`",
        ));
    }
    observe(options, &function.sig, &mut function.block, None, &mut errors);
    errors.finish()?;
    Ok(function.into_token_stream())
}

/// Makes a body record itself.
pub(crate) fn observe(
    options: &Options,
    signature: &Signature,
    block: &mut Block,
    prefix: Option<&str>,
    errors: &mut Errors,
) {
    if let Some(constness) = &signature.constness {
        errors.push(syn::Error::new_spanned(
            constness,
            format!(
                "`{}` is a const fn, which cannot record while compiling: remove `const` or `#[observe]`",
                signature.ident
            ),
        ));
    }
    let shape = Shape::of(signature);
    if let (Shape::Future { .. }, Some(handle)) = (&shape, &options.span)
        && body::lone_async(block).is_none()
    {
        errors.push(syn::Error::new(
            handle.span(),
            "`span` needs a body that is the span's: an `async fn`, one that is nothing but an `async` block, or one that returns no future",
        ));
    }
    let name = name(options, signature, prefix);
    let span = Ident::new("span", Span::mixed_site());
    let start = capture::start(options, signature, &name, &span, errors);
    let root = options.root();
    let output = options.output.unwrap_or_else(|| body::shows(&signature.output));
    let parts = Parts { root: &root, span: &span, handle: options.span.as_ref(), start, output };
    let observed = parts.body(shape, &signature.output, block);
    // The braces stay the user's, so that what the compiler says of the body points there.
    block.stmts = vec![Stmt::Expr(syn::Expr::Verbatim(observed), None)];
}

fn name(options: &Options, signature: &Signature, prefix: Option<&str>) -> String {
    use syn::ext::IdentExt;
    let own = signature.ident.unraw();
    match (&options.name, prefix) {
        (Some(name), _) => name.value(),
        (None, Some(prefix)) => format!("{prefix}.{own}"),
        (None, None) => own.to_string(),
    }
}
