//! Meshes and residual policies.

use collegium_core::DType;
use collegium_hlo::Residuals;
use collegium_train::engine::Settings;

use crate::harness::{assert_equal, distance, model, plugin, run, run_for, settings};

#[test]
fn any_mesh_and_policy_gives_the_loss_and_gradients_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[1]);
    let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Everything));
    assert!(one.losses[0] > 3.0 && one.gradients.len() == 3 * 8 + 2 * (1 + 8 * 3) + 3 + 3);
    let meshes = [
        (1, 1, Residuals::Dots),
        (1, 1, Residuals::Recompute),
        (1, 2, Residuals::Dots),
        (2, 1, Residuals::Dots),
        (2, 2, Residuals::Dots),
        (1, 4, Residuals::Recompute),
        (2, 4, Residuals::Dots),
        (1, 8, Residuals::Dots),
    ];
    for (data, expert, residuals) in meshes {
        let many = run(&plugin, &model, data, expert, settings(data, expert, residuals));
        assert_equal(&many, &one, &format!("{data}x{expert} {residuals:?}"));
    }
}

#[test]
fn weights_are_rounded_by_chance_alike_on_any_number_of_ranks() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[1]);
    let gradients = |data, expert, stochastic_rounding| {
        let how = settings(data, expert, Residuals::Everything);
        let how = Settings { dtype: DType::Bf16, stochastic_rounding, ..how };
        run_for(1, &plugin, &model, data, expert, how).gradients.into_values().flatten().collect::<Vec<f32>>()
    };
    let one = gradients(1, 1, true);
    let far = distance(&gradients(1, 1, false), &one);
    for (data, expert) in [(2, 1), (1, 4)] {
        let many = distance(&gradients(data, expert, true), &one);
        assert!(many < 0.3 * far, "{many} from one rank, {far} from the nearest");
    }
}
