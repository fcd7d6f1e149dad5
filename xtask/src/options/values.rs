//! Values of Rust in the words of a config file.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Item, ItemEnum, Lit, Token, Type};

use super::read::derives;
use super::words::{Scope, type_name, variant_name};

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
    let made = scope.everything().find_map(|block| match block {
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
        Expr::Macro(found) if found.mac.path.is_ident("vec") => listed(found, ty, scope),
        Expr::Binary(_) => integer(expression).map_or_else(|| source(expression), number),
        other => source(other),
    }
}

/// What a list holds, each value as it is in a file.
fn listed(list: &syn::ExprMacro, ty: &Type, scope: &Scope<'_>) -> String {
    let values = list.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
    match values {
        Ok(values) if values.is_empty() => "empty".into(),
        Ok(values) => values.iter().map(|value| default(value, ty, scope)).collect::<Vec<_>>().join(", "),
        Err(_) => source(&Expr::Macro(list.clone())),
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
    if names.len() > 1 && owner != "Self" && last == "DEFAULT" {
        return "its own".into();
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
        ("Duration", unit, Some(number)) => match integer(number) {
            Some(number) => duration(unit, number),
            None => source(&Expr::Call(call.clone())),
        },
        ("Bytes", "new", Some(number)) => match integer(number) {
            Some(number) => size(number),
            None => source(&Expr::Call(call.clone())),
        },
        ("String" | "PathBuf" | "Arc" | "Box" | "Cow" | "Str", "from" | "new", Some(inner))
        | ("", "Some", Some(inner)) => default(inner, ty, scope),
        ("", name, None) => scope
            .named(name)
            .map_or_else(|| source(&Expr::Call(call.clone())), |value| default(value, ty, scope)),
        _ => source(&Expr::Call(call.clone())),
    }
}

/// A duration in the largest unit that leaves no remainder.
fn duration(constructor: &str, number: u128) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let unit = match constructor {
        "from_days" => "d",
        "from_hours" => "h",
        "from_mins" => "m",
        "from_secs" => "s",
        "from_millis" => "ms",
        "from_micros" => "us",
        "from_nanos" => "ns",
        other => return format!("`Duration::{other}({number})`"),
    };
    let nanos = UNITS.iter().find(|(name, _)| *name == unit).map_or(0, |(_, nanos)| nanos * number);
    let largest = UNITS.iter().find(|(_, unit)| nanos > 0 && nanos.is_multiple_of(*unit));
    largest.map_or_else(|| "`\"0s\"`".into(), |(name, unit)| format!("`\"{}{name}\"`", nanos / unit))
}

/// A size as people write it, in the largest unit that leaves no remainder.
fn size(bytes: u128) -> String {
    let units =
        [(1 << 30, "GiB"), (1_000_000_000, "GB"), (1 << 20, "MiB"), (1_000_000, "MB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "B"));
    format!("`\"{}{name}\"`", bytes / unit)
}

/// The value of a whole number that is written as a product or a shift.
fn integer(expression: &Expr) -> Option<u128> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::Paren(inner) => integer(&inner.expr),
        Expr::Binary(binary) => {
            let (left, right) = (integer(&binary.left)?, integer(&binary.right)?);
            match binary.op {
                BinOp::Mul(_) => left.checked_mul(right),
                BinOp::Shl(_) => left.checked_shl(u32::try_from(right).ok()?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A whole number of bytes in the unit that one reads.
fn number(value: u128) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| value > 0 && value.is_multiple_of(1 << shift));
    unit.map_or_else(
        || format!("`{value}`"),
        |(shift, name)| format!("`{value}` ({} {name})", value >> shift),
    )
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
