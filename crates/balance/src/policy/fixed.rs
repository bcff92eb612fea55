//! `static`: homes stay, rows go home. What every system without a balancer does, and the baseline of all others.

use super::Policy;

/// Neither tier does anything.
pub struct Static;

impl Policy for Static {
    fn name(&self) -> &'static str {
        "static"
    }

    fn summary(&self) -> &'static str {
        "homes stay, every row goes to its expert's home"
    }

    fn plans_micro_batches(&self) -> bool {
        false
    }
}
