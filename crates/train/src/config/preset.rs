//! Named configurations to start from.

/// A named configuration.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// The keys it sets.
    pub toml: &'static str,
}

/// All presets, smallest first.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "tiny",
        about: "seconds: a two-layer model to see that everything works",
        toml: "
[model]
hidden_size = 64
num_layers = 2
num_heads = 4
num_kv_heads = 2
head_dim = 16
num_experts = 8
intermediate = 64
[train]
steps = 30
batch = 8
seq = 64
[optimizer]
warmup_steps = 5
[run]
eval_every = 15
checkpoint_every = 15
solve = 8
",
    },
    Preset {
        name: "reasoning",
        about: "the default: minutes on two cores, learns to add with worked steps",
        toml: "",
    },
    Preset {
        name: "small",
        about: "your own text on a laptop: 12 M parameters, 4 M active",
        toml: "
[model]
hidden_size = 256
num_layers = 4
num_heads = 8
num_kv_heads = 4
num_experts = 8
intermediate = 512
[train]
batch = 16
seq = 256
steps = 1000
[optimizer]
learning_rate = 1e-3
warmup_steps = 50
",
    },
    Preset {
        name: "bench-s",
        about: "shape S of the speed benchmark",
        toml: "
[model]
vocab_size = 4096
hidden_size = 256
num_layers = 4
num_heads = 8
num_kv_heads = 4
head_dim = 32
num_experts = 16
top_k = 2
intermediate = 512
[train]
batch = 16
seq = 256
[parallel]
devices = 1
",
    },
    Preset {
        name: "bench-m",
        about: "shape M of the speed benchmark",
        toml: "
[model]
vocab_size = 8192
hidden_size = 512
num_layers = 8
num_heads = 8
num_kv_heads = 4
head_dim = 64
num_experts = 32
top_k = 4
intermediate = 512
[train]
batch = 8
seq = 512
[parallel]
devices = 1
",
    },
    Preset {
        name: "bench-d",
        about: "shape D of the serving benchmark",
        toml: "
[model]
vocab_size = 8192
hidden_size = 768
num_layers = 12
num_heads = 12
num_kv_heads = 4
head_dim = 64
num_experts = 32
top_k = 4
intermediate = 320
[train]
batch = 1
seq = 4096
[parallel]
devices = 1
",
    },
];
