//! Which programs of serving are kernels and nothing else.

use collegium_core::DType;
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::ModelConfig;
use collegium_model::programs::{Exchange, PAGE, Packing, Part, Shape, StepShape, serving};

/// Whether a part for so many rows, or pages where there are none, is one chain of kernels.
fn is_chain(
    family: &str,
    (dtype, packing): (DType, Packing),
    (rows, chunks): (usize, usize),
    part: Part,
) -> bool {
    let file = format!("{}/../../fixtures/{family}/config.json", env!("CARGO_MANIFEST_DIR"));
    let json =
        serde_json::from_str(&std::fs::read_to_string(file).expect("it is there")).expect("it is JSON");
    let config = ModelConfig::from_json(&json, family).expect("a known family").0;
    let shape = Shape {
        config: &config,
        mesh: Mesh::single(),
        dtype,
        batch: 1,
        seq: rows + chunks * PAGE,
        residuals: Residuals::Recompute,
        exchange: Exchange::default(),
        forced_routing: false,
    };
    let how = StepShape { rows, chunks, pages: 4, cache_pages: 9, block: 1, packing, int8_cache: false };
    serving(&shape, how, part).expect("it fits").as_chain().is_some()
}

#[test]
fn steps_on_one_device_are_chains_of_kernels() {
    for family in ["llama", "mixtral_window", "qwen3_moe_mixed", "qwen3_window"] {
        for types in
            [(DType::F32, Packing::Packed), (DType::Bf16, Packing::Packed), (DType::Bf16, Packing::Int8)]
        {
            assert!(is_chain(family, types, (2, 0), Part::Whole), "{family} {types:?}");
            for part in [Part::Embedding, Part::Layer(0), Part::Layer(1), Part::Head] {
                assert!(is_chain(family, types, (0, 3), part), "{family} {types:?} {part:?}");
            }
        }
        assert!(!is_chain(family, (DType::F32, Packing::Natural), (2, 0), Part::Whole), "{family}");
    }
    // A norm of all heads together, and biases, stand between kernels.
    for family in ["olmoe", "llama3_rope"] {
        assert!(!is_chain(family, (DType::F32, Packing::Packed), (2, 0), Part::Whole), "{family}");
    }
    assert!(is_chain("olmoe", (DType::F32, Packing::Packed), (0, 3), Part::Head));
}
