//! Whether a program will do on a device, asked without the device: what its compiler refuses, miscompiles or makes
//! slow. The rules are a table ([`RULES`]); each says where it is known from, and what to do instead.
//!
//! Rules look at an operation and at its plain lowering (a grouped product is a loop with a static trip count around a
//! dynamic slice and a product). What graphs here cannot say at all needs no rule: dynamic dims, data-dependent loops,
//! conditionals, sorts, u64, replica groups in another order than the mesh's.

mod collective;
mod numbers;
mod operator;
mod rows;
mod rule;
mod size;

pub use rule::{RULES, Rule};

use crate::{NodeId, Program};

/// What a program is meant to run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// AWS Trainium through neuronx-cc.
    Neuron(Generation),
    /// NVIDIA GPUs through XLA.
    Cuda,
    /// The host through XLA.
    Cpu,
}

/// Generation of Trainium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generation {
    /// NeuronCore v2.
    Trn1,
    /// NeuronCore v3, two physical cores to a logical one.
    Trn2,
    /// NeuronCore v4, two physical cores to a logical one.
    Trn3,
}

impl Target {
    /// All targets with the names the command line uses; `neuron` alone means the second generation.
    pub const ALL: [(&'static str, Self); 5] = [
        ("neuron", Self::Neuron(Generation::Trn2)),
        ("trn1", Self::Neuron(Generation::Trn1)),
        ("trn3", Self::Neuron(Generation::Trn3)),
        ("cuda", Self::Cuda),
        ("cpu", Self::Cpu),
    ];

    /// Memory of one device, where every device of the target has the same.
    pub fn memory_bytes(self) -> Option<u64> {
        let gib = match self {
            Self::Neuron(Generation::Trn1) => 16,
            Self::Neuron(Generation::Trn2) => 24,
            Self::Neuron(Generation::Trn3) => 36,
            Self::Cuda | Self::Cpu => return None,
        };
        Some(gib << 30)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It runs, slowly or at a risk.
    Warning,
    /// It is refused, or computes something else.
    Error,
}

/// A rule that a program breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The node, unless it is about the whole program.
    pub node: Option<NodeId>,
    /// What is wrong, and what to do instead.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity}[{}]", self.rule)?;
        if let Some(node) = self.node {
            write!(f, " node {}", node.index())?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Every rule of the target that the program breaks, in the order of the table.
/// Composite operations are looked at in their plain form, and node numbers are those of [`Program::plain`].
pub fn lint(program: &Program, target: Target) -> Vec<Finding> {
    let program = &*program.plain();
    let applies = |rule: &&Rule| (rule.applies)(target);
    let run = |rule: &Rule| {
        let finding = |(severity, node, message)| Finding { rule: rule.id, severity, node, message };
        (rule.check)(program, target).into_iter().map(finding).collect::<Vec<_>>()
    };
    RULES.iter().filter(applies).flat_map(run).collect()
}

#[cfg(test)]
mod tests;
