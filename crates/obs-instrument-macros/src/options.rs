//! What the arguments ask for.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Ident, LitStr, Path};

use crate::arguments::{self, Argument, Errors, Form};
use crate::suggest;
use crate::types::{Field, GENERIC, SpanType};

/// The options in the order of the documentation.
const NAMES: [&str; 12] = [
    "type",
    "name",
    "prefix",
    "attributes",
    "skip",
    "skip_all",
    "rename",
    "input",
    "output",
    "span",
    "registry",
    "crate",
];

/// What is recorded as the span's input.
#[derive(Clone)]
pub(crate) enum Input {
    Arguments,
    Nothing,
    Value(Box<Expr>),
}

/// What is asked for; what is not set is as the documentation says.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) kind: Option<&'static SpanType>,
    pub(crate) name: Option<LitStr>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) attributes: Vec<(LitStr, Expr)>,
    pub(crate) fields: Vec<(Ident, Expr)>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) rename: Vec<(Ident, LitStr)>,
    pub(crate) input: Option<Input>,
    pub(crate) output: Option<bool>,
    /// The name under which the body has the span.
    pub(crate) span: Option<Ident>,
    pub(crate) registry: Option<LitStr>,
    root: Option<Path>,
    /// Where a lone `skip` stands: the method is not to be observed.
    pub(crate) left_out: Option<Span>,
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        let mut options = Self::default();
        let (mut errors, mut given) = (Errors::default(), Vec::new());
        for argument in arguments::parse(tokens)? {
            let text = subject(&argument);
            if given.contains(&text) {
                errors.push(syn::Error::new(argument.span(), format!("`{text}` is given twice")));
                continue;
            }
            given.push(text);
            let set = options.set(&argument);
            errors.take(set);
        }
        errors.finish()?;
        Ok(options)
    }

    fn set(&mut self, argument: &Argument) -> syn::Result<()> {
        match argument.text().as_str() {
            "type" => self.kind = Some(named_type(&argument.string()?)?),
            "name" => self.name = Some(argument.string()?),
            "prefix" => self.prefix = Some(argument.string()?),
            "attributes" => self.attributes = argument.attributes()?,
            "skip" if matches!(argument.form, Form::Bare) => self.left_out = Some(argument.span()),
            "skip" => self.skip = argument.names()?,
            "skip_all" => {
                argument.bare()?;
                self.input = Some(Input::Nothing);
            }
            "rename" => self.rename = argument.renames()?,
            "input" => match argument.flag() {
                Ok(true) => self.input = Some(Input::Arguments),
                Ok(false) => self.input = Some(Input::Nothing),
                Err(_) => self.input = Some(Input::Value(Box::new(argument.value()?.clone()))),
            },
            "output" => self.output = Some(argument.flag()?),
            "span" => self.span = Some(argument.ident()?),
            "registry" => self.registry = Some(argument.string()?),
            "crate" => self.root = Some(argument.path()?),
            other => return self.set_type_or_field(argument, other),
        }
        Ok(())
    }

    fn set_type_or_field(&mut self, argument: &Argument, text: &str) -> syn::Result<()> {
        match &argument.form {
            Form::Bare => {
                self.kind = Some(SpanType::named(text).ok_or_else(|| unknown_type(text, argument.span()))?);
            }
            Form::Value(value) if SpanType::having(text).next().is_some() => {
                self.fields.push((argument.name.clone(), (**value).clone()));
            }
            _ => return Err(unknown_option(text, argument.span())),
        }
        Ok(())
    }

    /// The options of a method: its own, then the block's.
    pub(crate) fn within(mut self, block: &Self) -> Self {
        // Of two that fill the same, the later one counts.
        let same_type = self.kind.is_none_or(|kind| block.kind.is_some_and(|outer| outer.name == kind.name));
        if same_type {
            self.fields.splice(..0, block.fields.iter().cloned());
        }
        self.attributes.splice(..0, block.attributes.iter().cloned());
        self.kind = self.kind.or(block.kind);
        self.skip.extend(block.skip.iter().cloned());
        self.rename.extend(block.rename.iter().cloned());
        self.input = self.input.or_else(|| block.input.clone());
        self.output = self.output.or(block.output);
        self.registry = self.registry.or_else(|| block.registry.clone());
        self.root = self.root.or_else(|| block.root.clone());
        self
    }

    pub(crate) fn span_type(&self) -> &'static SpanType {
        self.kind.unwrap_or(&GENERIC)
    }

    /// The typed fields that the type has; others are errors.
    pub(crate) fn typed_fields(&self, errors: &mut Errors) -> Vec<(&'static Field, &Expr)> {
        let kind = self.span_type();
        let mut found = Vec::new();
        for (name, value) in &self.fields {
            let text = name.to_string();
            match kind.field(&text) {
                Some(field) => found.push((field, value)),
                None => errors.push(syn::Error::new(
                    name.span(),
                    format!(
                        "spans of type `{}` have no field `{text}`; those of {} have",
                        kind.name,
                        suggest::list(SpanType::having(&text))
                    ),
                )),
            }
        }
        found
    }

    /// Where obs-instrument is.
    pub(crate) fn root(&self) -> TokenStream {
        self.root.as_ref().map_or_else(|| quote!(::obs_instrument), |path| quote!(#path))
    }
}

/// What an argument is about: two that are about the same contradict each other.
fn subject(argument: &Argument) -> String {
    let text = argument.text();
    match argument.form {
        Form::Bare if SpanType::named(&text).is_some() => "type".into(),
        _ if text == "skip_all" => "input".into(),
        _ => text,
    }
}

fn named_type(name: &LitStr) -> syn::Result<&'static SpanType> {
    SpanType::named(&name.value()).ok_or_else(|| unknown_type(&name.value(), name.span()))
}

fn unknown_type(name: &str, span: Span) -> syn::Error {
    if NAMES.contains(&name) {
        return syn::Error::new(span, format!("`{name}` needs a value: `{name} = ...`"));
    }
    let hint = suggest::hint(name, SpanType::names().chain(NAMES));
    let types = suggest::list(SpanType::names());
    syn::Error::new(span, format!("unknown type `{name}`{hint}\ntypes: {types}"))
}

fn unknown_option(name: &str, span: Span) -> syn::Error {
    let hint = suggest::hint(name, NAMES.into_iter().chain(SpanType::fields()));
    let options = suggest::list(NAMES);
    syn::Error::new(span, format!("unknown option `{name}`{hint}\noptions: {options}"))
}
