//! A trace as a tree for people.

mod details;
mod head;
pub(crate) mod line;
pub(crate) mod lines;
mod options;
mod preview;
mod totals;
mod tree;
pub(crate) mod units;

use obs_core::Trace;

use line::Line;
pub(crate) use options::LEAST_WIDTH;
pub use options::{Color, RenderOptions};

/// A trace as a tree, one line of output at a time, each ending in a newline.
///
/// Totals come first, then the spans with what belongs to them, then what belongs to no known span.
/// Text of the application's can do nothing to a terminal: white space becomes one space, other controls visible
/// escapes.
/// No line is wider than [`RenderOptions::width`], and no depth of a trace needs recursion or more indentation than
/// half of that.
pub fn render_trace(trace: &Trace, options: &RenderOptions) -> String {
    let nodes = trace.tree();
    let mut page = Page { options, out: String::new() };
    totals::write(&mut page, trace, &nodes);
    tree::write(&mut page, trace, &nodes);
    page.out
}

/// The output so far.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) options: &'a RenderOptions,
    pub(crate) out: String,
}

impl Page<'_> {
    /// Appends a line that `fill` fills.
    pub(crate) fn line(&mut self, fill: impl FnOnce(&mut Line)) {
        let mut line = Line::new(self.options.columns());
        fill(&mut line);
        line.write(self.options.color, &mut self.out);
    }
}
