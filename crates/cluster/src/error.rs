//! What makes a plan impossible.

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A name that no file has.
    #[error("there is no {what} `{name}`{}; `collegium plan devices` lists them, --describe FILE adds your own", near(.nearest))]
    Unknown {
        /// `device` or `cluster`.
        what: &'static str,
        /// As given.
        name: String,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A description that does not parse.
    #[error("{path}: {why}")]
    Description {
        /// Which file.
        path: String,
        /// What is wrong, with its place.
        why: String,
    },
    /// A figure that nobody has published, and without which there is no price.
    #[error(
        "{device}: {figure} is unknown ({note}), so this cannot be priced; give a description of your own with --describe"
    )]
    NoFigure {
        /// Which device.
        device: String,
        /// Which figure.
        figure: String,
        /// What its file says of it.
        note: String,
    },
    /// A request that contradicts itself.
    #[error("{0}")]
    Request(String),
    /// A layer program that cannot be built: a bug, or sizes that do not fit together.
    #[error("the program of a layer cannot be built: {0}")]
    Graph(#[from] collegium_hlo::GraphError),
    /// A model that cannot be read.
    #[error(transparent)]
    Model(#[from] collegium_model::config::ModelError),
    /// A table of measurements that cannot be read.
    #[error("{path}, line {line}: {why}")]
    Table {
        /// Which file.
        path: String,
        /// From 1; the head is line 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

fn near(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(", did you mean {}", names.join(" or "))
}
