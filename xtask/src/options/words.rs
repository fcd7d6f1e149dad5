//! Types and values of Rust in the words of a config file.

use std::sync::LazyLock;

use quote::ToTokens;
use regex::Regex;
use syn::{Expr, GenericArgument, Item, ItemEnum, Lit, PathArguments, Type};

use super::read::{derives, returned, serde};

/// What a file's expressions may name.
pub(crate) struct Scope<'a> {
    items: &'a [Item],
}

impl<'a> Scope<'a> {
    /// The items of a file.
    pub(crate) fn new(items: &'a [Item]) -> Self {
        Self { items }
    }

    fn enumeration(&self, name: &str) -> Option<&'a ItemEnum> {
        self.items.iter().find_map(|item| match item {
            Item::Enum(item) if item.ident == name => Some(item),
            _ => None,
        })
    }

    /// The value of a constant, or what a function without arguments returns.
    fn named(&self, name: &str) -> Option<&'a Expr> {
        self.items.iter().find_map(|item| match item {
            Item::Const(item) if item.ident == name => Some(&*item.expr),
            Item::Fn(item) if item.sig.ident == name => returned(item),
            Item::Impl(block) => block.items.iter().find_map(|item| match item {
                syn::ImplItem::Const(item) if item.ident == name => Some(&item.expr),
                _ => None,
            }),
            _ => None,
        })
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

/// What may stand in a file for a field of this type.
pub(crate) fn value(ty: &Type, scope: &Scope<'_>) -> String {
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
fn variant_name(item: &ItemEnum, variant: &str) -> String {
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

/// What a type is by default.
pub(crate) fn of_type(ty: &Type, scope: &Scope<'_>) -> String {
    match type_name(ty).as_str() {
        "Option" => "none".into(),
        "Vec" | "BTreeSet" | "HashSet" | "BTreeMap" | "HashMap" => "empty".into(),
        "bool" => "`false`".into(),
        "String" | "Str" => "`\"\"`".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "f32" | "f64" => "`0`".into(),
        "Duration" => "`\"0s\"`".into(),
        name => scope
            .enumeration(name)
            .and_then(|item| default_variant(item, scope))
            .unwrap_or_else(|| "its own".into()),
    }
}

fn default_variant(item: &ItemEnum, scope: &Scope<'_>) -> Option<String> {
    if derives(&item.attrs, "Default") {
        let marked = item
            .variants
            .iter()
            .find(|variant| variant.attrs.iter().any(|mark| mark.path().is_ident("default")))?;
        return Some(format!("`{}`", variant_name(item, &marked.ident.to_string())));
    }
    let made = scope.items.iter().find_map(|block| match block {
        Item::Impl(block) if item.ident == type_name(&block.self_ty) => {
            block.items.iter().find_map(|found| match found {
                syn::ImplItem::Fn(found) if found.sig.ident == "default" => found.block.stmts.last(),
                _ => None,
            })
        }
        _ => None,
    })?;
    let syn::Stmt::Expr(Expr::Path(path), None) = made else { return None };
    path.path.segments.last().map(|last| format!("`{}`", variant_name(item, &last.ident.to_string())))
}

/// The value that a field of this type gets from `expression`, in the words of a file.
pub(crate) fn default(expression: &Expr, ty: &Type, scope: &Scope<'_>) -> String {
    match expression {
        Expr::Lit(literal) => format!("`{}`", literal_text(&literal.lit)),
        Expr::Path(path) => named(path, ty, scope),
        Expr::Call(call) => called(call, ty, scope),
        Expr::MethodCall(call)
            if ["into", "to_owned", "to_string"].iter().any(|name| call.method == name) =>
        {
            default(&call.receiver, ty, scope)
        }
        Expr::Macro(found) if found.mac.path.is_ident("vec") && found.mac.tokens.is_empty() => "empty".into(),
        other => source(other),
    }
}

fn named(path: &syn::ExprPath, ty: &Type, scope: &Scope<'_>) -> String {
    let names: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let Some(last) = names.last() else { return source(&Expr::Path(path.clone())) };
    if last == "None" {
        return "none".into();
    }
    let owner = names.len().checked_sub(2).map_or_else(|| type_name(ty), |at| names[at].clone());
    if let Some(item) =
        scope.enumeration(&owner).filter(|item| item.variants.iter().any(|variant| variant.ident == last))
    {
        return format!("`{}`", variant_name(item, last));
    }
    scope.named(last).map_or_else(|| source(&Expr::Path(path.clone())), |value| default(value, ty, scope))
}

fn called(call: &syn::ExprCall, ty: &Type, scope: &Scope<'_>) -> String {
    let Expr::Path(function) = &*call.func else { return source(&Expr::Call(call.clone())) };
    let names: Vec<_> = function.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let (owner, name) = match names.as_slice() {
        [.., owner, name] => (owner.as_str(), name.as_str()),
        [name] => ("", name.as_str()),
        [] => ("", ""),
    };
    match (owner, name, call.args.first()) {
        ("Vec" | "BTreeMap" | "HashMap" | "BTreeSet" | "HashSet", "new" | "default", None) => "empty".into(),
        ("String", "new", None) => "`\"\"`".into(),
        (_, "default", None) => of_type(ty, scope),
        ("Duration", unit, Some(Expr::Lit(number))) => duration(unit, &literal_text(&number.lit)),
        ("String" | "PathBuf" | "Arc" | "Box" | "Cow" | "Str", "from" | "new", Some(inner))
        | ("", "Some", Some(inner)) => default(inner, ty, scope),
        ("", name, None) => scope
            .named(name)
            .map_or_else(|| source(&Expr::Call(call.clone())), |value| default(value, ty, scope)),
        _ => source(&Expr::Call(call.clone())),
    }
}

fn duration(unit: &str, number: &str) -> String {
    let unit = match unit {
        "from_secs" | "from_secs_f64" => "s",
        "from_millis" => "ms",
        "from_micros" => "us",
        "from_mins" => "m",
        "from_hours" => "h",
        "from_days" => "d",
        other => return format!("`Duration::{other}({number})`"),
    };
    format!("`\"{number}{unit}\"`")
}

fn literal_text(literal: &Lit) -> String {
    literal.to_token_stream().to_string().replace('_', if matches!(literal, Lit::Int(_)) { "" } else { "_" })
}

/// The expression itself, where there is no better word.
fn source(expression: &Expr) -> String {
    let text = expression.to_token_stream().to_string();
    format!(
        "`{}`",
        text.replace(" :: ", "::")
            .replace(" (", "(")
            .replace("( ", "(")
            .replace(" )", ")")
            .replace(" . ", ".")
    )
}

#[cfg(test)]
mod tests {
    use super::super::read::configs;
    use crate::project::SourceFile;

    const SOURCE: &str = r#"
        const AGE: Duration = Duration::from_secs(30);
        /// What a user can set, see [`Thing`](crate::Thing).
        ///
        /// Not this.
        #[derive(Debug, Clone, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ThingConfig {
            /// Where.
            pub(crate) path: PathBuf,
            /// How long.
            #[serde(default = "age", rename = "max_age")]
            pub age: Duration,
            pub short: Duration,
            /// Which.
            pub form: Option<Form>,
            pub other: Form,
            pub names: Vec<String>,
            pub token: String,
            pub many: u64,
            pub key: Option<Secret>,
            #[serde(flatten)]
            pub http: HttpConfig,
            #[serde(skip)]
            pub writer: Writer,
            pub odd: usize,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Form { #[default] PlainText, Json }
        impl ThingConfig {
            pub fn new(path: impl Into<PathBuf>) -> Self {
                Self {
                    path: path.into(), age: AGE, short: Duration::from_millis(5), form: None, other: Form::Json, names: Vec::new(),
                    token: "[R]".into(), many: 1_000, key: None, http: HttpConfig::default(), writer: Writer, odd: 4 << 20,
                }
            }
        }
        #[derive(Default, Deserialize)]
        pub struct BareConfig { on: bool, form: Form, size: Option<u8> }
        pub struct OtherConfig { not_read_by_serde: u8 }
    "#;

    fn table(at: usize) -> Vec<[String; 3]> {
        let file = SourceFile { path: "a.rs".into(), text: SOURCE.into() };
        let configs = configs(&file).unwrap();
        assert_eq!(configs.len(), 2);
        configs[at].options.iter().map(|o| [o.name.clone(), o.value.clone(), o.default.clone()]).collect()
    }

    #[test]
    fn names_values_and_defaults_come_from_the_code() {
        let expected = [
            ["path", "path", "required"],
            ["max_age", "duration, such as `\"30s\"`", "`\"30s\"`"],
            ["short", "duration, such as `\"30s\"`", "`\"5ms\"`"],
            ["form", "`plain_text` or `json`", "none"],
            ["other", "`plain_text` or `json`", "`json`"],
            ["names", "list of text", "empty"],
            ["token", "text", "`\"[R]\"`"],
            ["many", "integer", "`1000`"],
            ["key", "secret", "none"],
            ["http", "the options of HttpConfig", "–"],
            ["odd", "integer", "`4 << 20`"],
        ];
        assert_eq!(table(0), expected);
    }

    #[test]
    fn a_derived_default_is_that_of_the_type() {
        let expected = [
            ["on", "`true` or `false`", "`false`"],
            ["form", "`plain_text` or `json`", "`plain_text`"],
            ["size", "integer", "none"],
        ];
        assert_eq!(table(1), expected);
    }

    #[test]
    fn docs_are_their_first_paragraph_without_links() {
        let file = SourceFile { path: "a.rs".into(), text: SOURCE.into() };
        let configs = configs(&file).unwrap();
        assert_eq!(configs[0].doc, "What a user can set, see `Thing`.");
        assert_eq!(configs[0].options[0].doc, "Where.");
    }

    #[test]
    fn a_file_that_does_not_parse_is_named_with_its_line() {
        let file = SourceFile { path: "a.rs".into(), text: "fn a() {}\nfn }".into() };
        let message = configs(&file).unwrap_err().to_string();
        assert!(message.starts_with("a.rs:2: "), "{message}");
    }
}
