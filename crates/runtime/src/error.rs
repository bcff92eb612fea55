//! What can go wrong while programs are compiled and run.

/// Why a program did not run.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A call with too few or too many inputs.
    #[error("program `{program}` takes {expected} inputs, got {given}")]
    InputCount {
        /// The program.
        program: String,
        /// Inputs it has.
        expected: usize,
        /// Inputs given.
        given: usize,
    },
    /// A call with an input of another shape.
    #[error("program `{program}`: input `{input}` must be {expected}, got {given}")]
    InputShape {
        /// The program.
        program: String,
        /// The input.
        input: String,
        /// What the program wants.
        expected: String,
        /// What it was given.
        given: String,
    },
    /// A donated input that somebody else still holds.
    #[error("program `{program}`: input {input} is donated but still in use elsewhere")]
    SharedDonation {
        /// The program.
        program: String,
        /// Position of the input.
        input: usize,
    },
    /// A program or an array for another number of devices.
    #[error("{what} is for {given} devices, but backend `{backend}` has {devices}")]
    DeviceCount {
        /// The program or array.
        what: String,
        /// Devices it is for.
        given: usize,
        /// The backend.
        backend: String,
        /// Devices there are.
        devices: usize,
    },
    /// An input that another backend made.
    #[error("program `{program}`: input {input} belongs to another backend; upload it to this one")]
    ForeignBuffer {
        /// The program.
        program: String,
        /// Position of the input.
        input: usize,
    },
    /// What the reference evaluator refuses to compute.
    #[error("program `{program}`, node {node} ({op}): {why}")]
    Evaluation {
        /// The program.
        program: String,
        /// Which node.
        node: usize,
        /// Its operation.
        op: &'static str,
        /// What is wrong.
        why: String,
    },
    /// What a kernel refuses to compute.
    #[error("program `{program}`: {problem}")]
    Kernel {
        /// The program.
        program: String,
        /// What is wrong.
        problem: String,
    },
    /// A value asked of the backend that has none.
    #[error("backend `null` counts costs and computes no values; run on `cpu` or `eval` to see them")]
    NoValues,
    /// A machine that measures no energy.
    #[error("{0}")]
    Energy(String),
    /// What the plugin says.
    #[error(transparent)]
    Pjrt(#[from] collegium_pjrt::PjrtError),
}
