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

/// Records every call of a function as a span: its arguments, what it returns, its error or its panic.
///
/// It goes on functions and methods, async or not, on functions that return a future (`impl Future`, `Pin<Box<dyn Future>>`,
/// `BoxFuture`, and so what `async_trait` writes), and on whole `impl` blocks, of a type or of a trait.
/// The span is current while the body runs, also across its `.await`s, so that spans, logs and scores of what it calls are
/// below it.
/// A `const fn` cannot record and is refused.
/// A function that returns a stream or an iterator is recorded until it returns, not until that is read.
///
/// # Options
///
/// | option | meaning | unless given |
/// |---|---|---|
/// | `llm_generation`, or `type = "llm_generation"` | the type of the span | `generic` |
/// | `name = "..."` | the whole name of the span | the function's name, in a block behind the prefix |
/// | `prefix = "workflow"` | blocks only: a method is named `workflow.method` | no prefix |
/// | `model = expr`, ... | a typed field, see below | not set |
/// | `attributes(key = expr, "dotted.key" = expr)` | attributes of the span | none |
/// | `skip(argument, ...)` | arguments that are not recorded | all are but `self` |
/// | `skip_all`, or `input = false` | no argument is recorded | all are but `self` |
/// | `rename(argument = "other")` | arguments recorded under another name | their own |
/// | `input = expr` | the input, instead of the arguments | the arguments by their names |
/// | `output = false` | what is returned is not recorded | it is |
/// | `span = name` | the body has the span as `name`, an `&mut ActiveSpan`, to set what only it knows | it has not |
/// | `registry = "tenant"` | the instance of this name records, or nobody | the current context's, else the default one |
/// | `crate = path` | where `obs-instrument` is, if not there | `::obs_instrument` |
/// | `skip`, on a method of a block | the method is left out | it is not |
///
/// The types are `agent_run`, `workflow_run`, `workflow_step`, `llm_generation`, `tool_call`, `mcp_tool_call`,
/// `memory_lookup`, `memory_update`, `rag_query`, `embedding`, `eval_execution` and `generic`.
///
/// Expressions see the arguments, `self` too, by reference; they are evaluated before the body, and only if the span is
/// recorded: attributes and input if it is sampled, typed fields also if it is only measured.
///
/// # Typed fields
///
/// | type | fields |
/// |---|---|
/// | `agent_run` | `agent`, `agent_id`, `instructions`, `max_steps` |
/// | `workflow_run` | `workflow_id`, `run_id` |
/// | `workflow_step` | `step_id` |
/// | `llm_generation` | `model`, `provider`, `temperature`, `top_p`, `max_tokens`, `tools`, `streaming` |
/// | `tool_call` | `tool`, `agent`, `call_id`, `kind`, `description` |
/// | `mcp_tool_call` | those of `tool_call`, and `server`, `server_version`, `method` |
/// | `memory_lookup` | `memory`, `query` |
/// | `memory_update` | `memory`, `operation`, `count` |
/// | `rag_query` | `query`, `store`, `top_k` |
/// | `embedding` | `model`, `provider`, `dimensions`, `count` |
/// | `eval_execution` | `scorer`, `source` |
///
/// Texts may be anything that is `AsRef<str>` or `Display`, and an `Option` of the former; numbers may be an `Option`.
///
/// # What is recorded of a value
///
/// Arguments and results need no trait.
/// What is `Serialize` is recorded as JSON, what is only `Debug` as text, and an argument that is neither as a mark that names
/// its type; a result that is neither is not recorded, nor is an `impl Trait` that does not say that it is either.
/// What counts is what is known where the function stands: a generic argument is `Serialize` if its bounds say so.
/// Serialising what panics or fails leaves a mark; the function goes on.
/// Nothing is serialised if the span is not recorded.
/// What is recorded is serialised whole, however large it is, on the thread that calls: `skip` what is large, such as
/// files and embeddings, or record a part of it by `input = expr`; limits of the pipeline cut it only later.
///
/// # Errors and panics
///
/// An `Err` fails the span, whatever alias of `Result` the function returns: with type, message and sources if it is an
/// `Error`, or holds one as a box, `anyhow::Error` and the like do; else with what it displays, or shows by `Debug`.
/// A panic fails it with its message and goes on.
/// A future that is dropped before its end just ends its span, without output.
///
/// # Blocks
///
/// Every method with a receiver is recorded; functions without one, and those that are `const`, are not, unless they have an
/// `#[observe]` of their own.
/// A method's own options count before the block's, attributes and skipped arguments add up, and the block's typed fields hold
/// for the methods of its type.
/// Within a block the attribute is recognised by its last name, so it cannot be imported as another one there.
///
/// # Futures
///
/// The span of an `async fn`, and of a function that is nothing but an `async` block, starts when it is first polled; that of
/// another function that returns a future starts when it is called.
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
