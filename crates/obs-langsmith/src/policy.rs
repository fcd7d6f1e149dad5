//! What LangSmith's answers mean.

use obs_http::Policy;

/// Runs and batches of feedback: 409 says that the server has taken this very write before.
///
/// 404 says that it lacks the endpoint, and is met by the one before it, `POST /runs/batch`.
pub const RUNS: Policy = Policy::DEFAULT.success(&[409]);

/// One feedback: 409 says that the server has it, 404 that it does not see the run yet.
pub const FEEDBACK: Policy = Policy::DEFAULT.success(&[409]).reject(&[404]);

/// The server's capabilities and the project's id.
pub const LOOKUPS: Policy = Policy::DEFAULT;
