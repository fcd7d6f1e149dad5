//! Types of Rust in the words of a config file.

use std::sync::LazyLock;

use quote::ToTokens;
use regex::Regex;
use syn::{Expr, GenericArgument, Item, ItemEnum, PathArguments, Type};

use super::read::{returned, serde};

/// What a file's expressions may name.
pub(crate) struct Scope<'a> {
    /// The items of the file, among which constants and functions are looked for.
    pub(crate) items: &'a [Item],
    /// The files of the crate, among whose items enums are looked for.
    pub(crate) files: &'a [syn::File],
}

impl<'a> Scope<'a> {
    pub(crate) fn enumeration(&self, name: &str) -> Option<&'a ItemEnum> {
        self.everything().find_map(|item| match item {
            Item::Enum(item) if item.ident == name => Some(item),
            _ => None,
        })
    }

    /// Every item of the crate.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &'a Item> {
        self.files.iter().flat_map(|file| &file.items)
    }

    /// The value of a constant of the file or else of the crate, or what a function without arguments returns.
    pub(crate) fn named(&self, name: &str) -> Option<&'a Expr> {
        let elsewhere = || {
            self.everything().find_map(|item| match item {
                Item::Const(item) if item.ident == name => Some(&*item.expr),
                _ => None,
            })
        };
        let own = self.items.iter().find_map(|item| match item {
            Item::Const(item) if item.ident == name => Some(&*item.expr),
            Item::Fn(item) if item.sig.ident == name => returned(item),
            Item::Impl(block) => block.items.iter().find_map(|item| match item {
                syn::ImplItem::Const(item) if item.ident == name => Some(&item.expr),
                _ => None,
            }),
            _ => None,
        });
        own.or_else(elsewhere)
    }
}

/// A link of rustdoc around code.
#[expect(clippy::unwrap_used, reason = "a constant pattern, which the tests of this module compile")]
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[(`[^`]+`)\](?:\([^)]*\))?").unwrap());

/// `text` with rustdoc's links reduced to what they show.
pub(crate) fn without_links(text: &str) -> String {
    LINK.replace_all(text, |found: &regex::Captures<'_>| {
        found[1].replace("crate::", "").replace("Self::", "")
    })
    .into_owned()
}

/// The last name of a type, without its arguments.
pub(crate) fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        other => other.to_token_stream().to_string(),
    }
}

/// The name of the type inside of options, lists and maps.
pub(crate) fn innermost(ty: &Type) -> String {
    let wrapped = matches!(type_name(ty).as_str(), "Option" | "Arc" | "Box" | "Vec" | "BTreeMap" | "HashMap");
    match arguments(ty).last() {
        Some(inner) if wrapped => innermost(inner),
        _ => type_name(ty),
    }
}

/// What may stand in a file for a field of this type.
pub(crate) fn value(ty: &Type, scope: &Scope<'_>) -> String {
    if let Type::Tuple(tuple) = ty {
        return tuple.elems.iter().map(|ty| value(ty, scope)).collect::<Vec<_>>().join(" with ");
    }
    let name = type_name(ty);
    let inner = arguments(ty);
    let of = |at: usize| inner.get(at).map_or_else(String::new, |ty| value(ty, scope));
    match name.as_str() {
        "Option" | "Arc" | "Box" if !inner.is_empty() => of(0),
        "Vec" | "BTreeSet" | "HashSet" => format!("list of {}", of(0)),
        "BTreeMap" | "HashMap" => format!("map from {} to {}", of(0), of(1)),
        "bool" => "`true` or `false`".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "NonZeroUsize" | "NonZeroU64"
        | "NonZeroU32" => "integer".into(),
        "f32" | "f64" => "number".into(),
        "String" | "Str" | "str" | "Cow" => "text".into(),
        "PathBuf" | "Path" => "path".into(),
        "Duration" => "duration, such as `\"30s\"`".into(),
        "ByteSize" | "Bytes" => "size, such as `\"50MB\"`".into(),
        "Secret" => "secret".into(),
        _ => scope.enumeration(&name).map_or_else(|| format!("`{name}`"), choices),
    }
}

/// The types between the angle brackets.
fn arguments(ty: &Type) -> Vec<&Type> {
    let Type::Path(path) = ty else { return Vec::new() };
    let Some(PathArguments::AngleBracketed(list)) = path.path.segments.last().map(|last| &last.arguments)
    else {
        return Vec::new();
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// The names of an enum's variants in a file.
fn choices(item: &ItemEnum) -> String {
    let names: Vec<_> = item
        .variants
        .iter()
        .map(|variant| format!("`{}`", variant_name(item, &variant.ident.to_string())))
        .collect();
    names.join(" or ")
}

/// How serde writes a variant.
pub(crate) fn variant_name(item: &ItemEnum, variant: &str) -> String {
    let found = item.variants.iter().find(|known| known.ident == variant);
    if let Some(name) = found.and_then(|found| serde(&found.attrs, "rename")) {
        return name;
    }
    match serde(&item.attrs, "rename_all").as_deref() {
        Some("snake_case") => cased(variant, '_'),
        Some("kebab-case") => cased(variant, '-'),
        Some("lowercase") => variant.to_lowercase(),
        Some("SCREAMING_SNAKE_CASE") => cased(variant, '_').to_uppercase(),
        _ => variant.to_owned(),
    }
}

fn cased(name: &str, between: char) -> String {
    let mut text = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_uppercase() && at > 0 {
            text.push(between);
        }
        text.extend(c.to_lowercase());
    }
    text
}
