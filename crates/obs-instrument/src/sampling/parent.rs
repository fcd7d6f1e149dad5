//! What a parent's decision is worth.

use std::sync::Arc;

use super::Sampling;

/// Who decides about a span that has a parent; unless set otherwise the parent does.
///
/// ```
/// use obs_instrument::{ParentBased, Sampling};
///
/// // A tenth of what begins here, and all that others send, recorded there or not.
/// let sampling: Sampling =
///     ParentBased::new(Sampling::ratio(0.1)?).with_remote_unsampled(Sampling::Always).into();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ParentBased {
    pub(super) root: Sampling,
    pub(super) remote_sampled: Sampling,
    pub(super) remote_unsampled: Sampling,
    pub(super) local_sampled: Sampling,
    pub(super) local_unsampled: Sampling,
}

impl ParentBased {
    /// This for roots; parents decide for the others.
    pub fn new(root: Sampling) -> Self {
        Self {
            root,
            remote_sampled: Sampling::Always,
            remote_unsampled: Sampling::Never,
            local_sampled: Sampling::Always,
            local_unsampled: Sampling::Never,
        }
    }

    /// What decides under a recorded parent in another process; all are recorded unless set.
    #[must_use]
    pub fn with_remote_sampled(mut self, sampling: Sampling) -> Self {
        self.remote_sampled = sampling;
        self
    }

    /// What decides under a parent in another process that is not recorded; nothing is recorded unless set.
    #[must_use]
    pub fn with_remote_unsampled(mut self, sampling: Sampling) -> Self {
        self.remote_unsampled = sampling;
        self
    }

    /// What decides under a recorded parent of this process; all are recorded unless set.
    ///
    /// Anything else cuts traces: what is below a span that is left out goes with it.
    #[must_use]
    pub fn with_local_sampled(mut self, sampling: Sampling) -> Self {
        self.local_sampled = sampling;
        self
    }

    /// What decides under a parent of this process that is not recorded; nothing is recorded unless set.
    ///
    /// Anything else records spans whose parent is nowhere.
    #[must_use]
    pub fn with_local_unsampled(mut self, sampling: Sampling) -> Self {
        self.local_unsampled = sampling;
        self
    }
}

impl From<ParentBased> for Sampling {
    fn from(parents: ParentBased) -> Self {
        Self::ParentBased(Arc::new(parents))
    }
}
