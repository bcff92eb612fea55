//! Meshes and residual policies.

use collegium_hlo::Residuals;

use crate::harness::{assert_equal, model, plugin, run, settings};

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
