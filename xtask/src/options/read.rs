//! Finds the config structs of a source file.

use anyhow::{Result, anyhow};
use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Fields, ImplItem, Item, ItemFn, ItemImpl, ItemStruct, Stmt, Token, Type};

use super::values;
use super::words::{self, Scope};
use super::{Choice, Config};
use crate::project::SourceFile;

/// The structs of a crate that a user could set, in the order of its files: public ones with named fields.
pub(crate) fn configs(files: &[&SourceFile]) -> Result<Vec<Config>> {
    let files: Vec<_> = files.iter().map(|file| parse(file)).collect::<Result<_>>()?;
    let mut configs = Vec::new();
    for file in &files {
        let scope = Scope { items: &file.items, files: &files };
        configs.extend(file.items.iter().filter_map(|item| match item {
            Item::Struct(item) if is_config(item) => Some(config(item, &file.items, &scope)),
            _ => None,
        }));
    }
    Ok(configs)
}

fn parse(file: &SourceFile) -> Result<syn::File> {
    syn::parse_file(&file.text).map_err(|error| {
        anyhow!("{}:{}: {error}; mend the file and run this again", file.path, error.span().start().line)
    })
}

fn is_config(item: &ItemStruct) -> bool {
    matches!((&item.vis, &item.fields), (syn::Visibility::Public(_), Fields::Named(_)))
}

/// True when `attributes` derive the trait called `name`.
pub(crate) fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let paths = attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
        paths.is_ok_and(|paths| {
            paths.iter().any(|path| path.segments.last().is_some_and(|last| last.ident == name))
        })
    })
}

fn config(item: &ItemStruct, items: &[Item], scope: &Scope<'_>) -> Config {
    let made = Made::of(&item.ident.to_string(), items, derives(&item.attrs, "Default"));
    let fields = match &item.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unnamed(_) | Fields::Unit => Vec::new(),
    };
    let options = fields.into_iter().filter(|field| !has_serde(&field.attrs, "skip")).map(|field| {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = serde(&field.attrs, "rename").unwrap_or_else(|| ident.clone());
        let flat = has_serde(&field.attrs, "flatten");
        Choice {
            name,
            of: words::innermost(&field.ty),
            value: if flat {
                format!("the options of {}", words::type_name(&field.ty))
            } else {
                words::value(&field.ty, scope)
            },
            default: if flat { "–".into() } else { made.default(&ident, &field.ty, scope) },
            doc: paragraph(&field.attrs),
        }
    });
    let name = item.ident.to_string();
    // What a file may hold in part, and nothing else, is an option's home, however it is called.
    let in_files = has_serde(&item.attrs, "default") && has_serde(&item.attrs, "deny_unknown_fields");
    let is_config = name.ends_with("Config") || in_files;
    Config { name, is_config, doc: paragraph(&item.attrs), options: options.collect() }
}

/// The text of `key = "text"` in the serde attributes.
pub(crate) fn serde(attributes: &[Attribute], key: &str) -> Option<String> {
    words_of_serde(attributes).into_iter().find_map(|(word, text)| if word == key { text } else { None })
}

/// True when the serde attributes have `key`, bare or with a value.
fn has_serde(attributes: &[Attribute], key: &str) -> bool {
    words_of_serde(attributes).iter().any(|(word, _)| word == key)
}

/// The words of the serde attributes, each with its text if it has one.
fn words_of_serde(attributes: &[Attribute]) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // What stands behind a form that we do not know is not read, and says nothing.
        let _ = attribute.parse_nested_meta(|meta| {
            let text = match meta.value() {
                Ok(value) => Some(value.parse::<syn::LitStr>()?.value()),
                Err(_) => None,
            };
            found.extend(meta.path.get_ident().map(|word| (word.to_string(), text)));
            // A list such as `rename(serialize = "a")` is passed over.
            if meta.input.peek(syn::token::Paren) {
                meta.parse_nested_meta(|_| Ok(()))?;
            }
            Ok(())
        });
    }
    found
}

/// The first paragraph of a doc comment, as text without rustdoc's links.
fn paragraph(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            let syn::Meta::NameValue(meta) = &attribute.meta else { return None };
            let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &meta.value else { return None };
            Some(text.value().trim().to_owned())
        });
    words::without_links(&lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
}

/// How a config struct is made when a user says as little as possible.
struct Made<'a> {
    /// The struct literals to look into, the one that counts first.
    literals: Vec<&'a syn::ExprStruct>,
    /// The parameters of `new`: fields made of them must be given.
    parameters: Vec<String>,
    /// True when `Default` is derived.
    derived: bool,
}

impl<'a> Made<'a> {
    fn of(name: &str, items: &'a [Item], derived: bool) -> Self {
        let mut made = Self { literals: Vec::new(), parameters: Vec::new(), derived };
        for function in ["new", "default"] {
            let bodies = items.iter().filter_map(|item| body_of(item, name, function));
            for (signature, block) in bodies {
                made.literals.extend(block.stmts.last().and_then(|last| struct_literal(last, name, items)));
                made.parameters.extend(signature.inputs.iter().filter_map(parameter));
            }
        }
        made
    }

    fn default(&self, field: &str, ty: &Type, scope: &Scope<'_>) -> String {
        for literal in &self.literals {
            let value = literal
                .fields
                .iter()
                .find(|value| matches!(&value.member, syn::Member::Named(name) if name == field));
            if let Some(value) = value {
                let tokens = quote_tokens(&value.expr);
                let given = self.parameters.iter().any(|name| mentions(tokens.clone(), name));
                return if given { "required".into() } else { values::default(&value.expr, ty, scope) };
            }
        }
        if self.derived { values::of_type(ty, scope) } else { "–".into() }
    }
}

/// The function called `function` of the type called `name`, if `item` is the block that holds it.
fn body_of<'a>(item: &'a Item, name: &str, function: &str) -> Option<(&'a syn::Signature, &'a syn::Block)> {
    let Item::Impl(ItemImpl { self_ty, items, .. }) = item else { return None };
    if words::type_name(self_ty) != name {
        return None;
    }
    items.iter().find_map(|item| match item {
        ImplItem::Fn(found) if found.sig.ident == function => Some((&found.sig, &found.block)),
        _ => None,
    })
}

/// The struct literal that a function of the type called `name` ends in, itself or as a constant of that type.
fn struct_literal<'a>(last: &'a Stmt, name: &str, items: &'a [Item]) -> Option<&'a syn::ExprStruct> {
    match last {
        Stmt::Expr(Expr::Struct(literal), None) => Some(literal),
        Stmt::Expr(Expr::Path(path), None) => {
            let wanted = &path.path.segments.last()?.ident;
            items.iter().find_map(|item| constant_of(item, name, wanted))
        }
        _ => None,
    }
}

/// The struct literal of the constant `wanted` of the type called `name`, if `item` is the block that holds it.
fn constant_of<'a>(item: &'a Item, name: &str, wanted: &syn::Ident) -> Option<&'a syn::ExprStruct> {
    let Item::Impl(ItemImpl { self_ty, items, .. }) = item else { return None };
    if words::type_name(self_ty) != name {
        return None;
    }
    items.iter().find_map(|item| match item {
        ImplItem::Const(found) if found.ident == *wanted => match &found.expr {
            Expr::Struct(literal) => Some(literal),
            _ => None,
        },
        _ => None,
    })
}

fn parameter(input: &syn::FnArg) -> Option<String> {
    let syn::FnArg::Typed(input) = input else { return None };
    let syn::Pat::Ident(name) = &*input.pat else { return None };
    Some(name.ident.to_string())
}

/// The last expression of a function, which is what it returns.
pub(crate) fn returned(function: &ItemFn) -> Option<&Expr> {
    match function.block.stmts.last()? {
        Stmt::Expr(expression, None) => Some(expression),
        _ => None,
    }
}

fn quote_tokens(expression: &Expr) -> TokenStream {
    quote::ToTokens::to_token_stream(expression)
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == name,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}
