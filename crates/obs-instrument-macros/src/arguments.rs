//! The arguments as they are written: names, bare, with a value or with a list.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

use crate::suggest;

/// One argument.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) form: Form,
}

/// What stands behind an argument's name.
pub(crate) enum Form {
    /// `skip_all`
    Bare,
    /// `name = "answer"`
    Value(Box<Expr>),
    /// `skip(client)`
    List(TokenStream),
}

impl Parse for Argument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let form = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Form::Value(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let inner;
            syn::parenthesized!(inner in input);
            Form::List(inner.parse()?)
        } else {
            Form::Bare
        };
        Ok(Self { name, form })
    }
}

/// The arguments of one attribute.
pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Vec<Argument>> {
    Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens).map(|all| all.into_iter().collect())
}

impl Argument {
    /// The name as it is written.
    pub(crate) fn text(&self) -> String {
        self.name.unraw().to_string()
    }

    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// An error at the argument that says how it is written.
    fn written(&self, how: &str) -> syn::Error {
        syn::Error::new(self.span(), format!("`{}` is written `{how}`", self.text()))
    }

    /// The value, where it is a string.
    pub(crate) fn string(&self) -> syn::Result<LitStr> {
        match &self.form {
            Form::Value(value) => match &**value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
                other => Err(syn::Error::new_spanned(
                    other,
                    format!("`{0}` needs a string: `{0} = \"...\"`", self.text()),
                )),
            },
            _ => Err(self.written(&format!("{} = \"...\"", self.text()))),
        }
    }

    /// The value, where it is a truth value.
    pub(crate) fn flag(&self) -> syn::Result<bool> {
        match self.value()? {
            Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. }) => Ok(flag.value),
            other => Err(syn::Error::new_spanned(other, format!("`{}` is `true` or `false`", self.text()))),
        }
    }

    /// The value.
    pub(crate) fn value(&self) -> syn::Result<&Expr> {
        match &self.form {
            Form::Value(value) => Ok(value),
            _ => Err(self.written(&format!("{} = ...", self.text()))),
        }
    }

    /// The value, where it is one name.
    pub(crate) fn ident(&self) -> syn::Result<Ident> {
        let value = self.value()?;
        let one = match value {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        };
        one.ok_or_else(|| syn::Error::new_spanned(value, format!("`{}` needs a name", self.text())))
    }

    /// The value, where it is a path, maybe as a string.
    pub(crate) fn path(&self) -> syn::Result<Path> {
        match self.value()? {
            Expr::Path(path) => Ok(path.path.clone()),
            _ => self.string()?.parse(),
        }
    }

    /// Nothing but the name.
    pub(crate) fn bare(&self) -> syn::Result<()> {
        match &self.form {
            Form::Bare => Ok(()),
            _ => Err(self.written(&self.text())),
        }
    }

    /// The names in the list: `skip(client, key)`.
    pub(crate) fn names(&self) -> syn::Result<Vec<Ident>> {
        let list = self.list(&format!("{}(argument, ...)", self.text()))?;
        let parser = |input: ParseStream| {
            Punctuated::<Ident, Token![,]>::parse_terminated_with(input, Ident::parse_any)
        };
        Ok(parser.parse2(list)?.into_iter().collect())
    }

    /// The pairs in the list: `rename(argument = "other")`.
    pub(crate) fn renames(&self) -> syn::Result<Vec<(Ident, LitStr)>> {
        let list = self.list(&format!("{}(argument = \"other\", ...)", self.text()))?;
        parse(list)?.into_iter().map(|pair| Ok((pair.name.clone(), pair.string()?))).collect()
    }

    /// The pairs in the list: `attributes(key = value, "dotted.key" = value)`.
    pub(crate) fn attributes(&self) -> syn::Result<Vec<(LitStr, Expr)>> {
        let list = self.list(&format!("{}(key = value, \"dotted.key\" = value, ...)", self.text()))?;
        let pairs = Punctuated::<Attribute, Token![,]>::parse_terminated.parse2(list)?;
        Ok(pairs.into_iter().map(|pair| (pair.key, pair.value)).collect())
    }

    fn list(&self, how: &str) -> syn::Result<TokenStream> {
        match &self.form {
            Form::List(list) if !list.is_empty() => Ok(list.clone()),
            _ => Err(self.written(how)),
        }
    }
}

/// One attribute of the span.
struct Attribute {
    key: LitStr,
    value: Expr,
}

impl Parse for Attribute {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let key = if input.peek(LitStr) { input.parse()? } else { dotted(input)? };
        input.parse::<Token![=]>()?;
        Ok(Self { key, value: input.parse()? })
    }
}

/// A key of names with dots between.
fn dotted(input: ParseStream) -> syn::Result<LitStr> {
    let names = Punctuated::<Ident, Token![.]>::parse_separated_nonempty_with(input, Ident::parse_any)?;
    let span = names.first().map_or_else(Span::call_site, Ident::span);
    let names: Vec<_> = names.iter().map(|name| name.unraw().to_string()).collect();
    Ok(LitStr::new(&names.join("."), span))
}

/// Names that `listed` has and `known` has not are errors: `lacks` says of what.
pub(crate) fn known_names<'a>(
    listed: impl IntoIterator<Item = &'a Ident>,
    known: &[String],
    lacks: &str,
    errors: &mut Errors,
) {
    for name in listed {
        let text = name.unraw().to_string();
        if !known.contains(&text) {
            let hint = suggest::hint(&text, known.iter().map(String::as_str));
            errors.push(syn::Error::new(name.span(), format!("{lacks} argument `{text}`{hint}")));
        }
    }
}

/// Several errors told at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or nothing and its error.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
