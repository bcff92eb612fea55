//! Transports, shuffled tokens, and whole micro-batches as one program.

use collegium_balance::policy;
use collegium_core::DType;
use collegium_hlo::Residuals;
use collegium_model::layers::Transport;
use collegium_model::layers::transport::{AllGather, AllToAll, TwoStage};
use collegium_model::programs::Exchange;
use collegium_train::adapt::BalanceOptions;
use collegium_train::engine::{Execution, Settings};
use collegium_train::setup;

use crate::balance::{balanced, random};
use crate::harness::{assert_equal, distance, model, plugin, run, run_on, settings};

fn exact(data: usize, expert: usize) -> Settings {
    let policy = policy::by_name("exact").unwrap();
    let balance = BalanceOptions { policy, tolerance: Some(0.0), ..BalanceOptions::default() };
    Settings { balance, ..settings(data, expert, Residuals::Everything) }
}

#[test]
fn every_transport_and_shuffled_tokens_give_the_loss_and_gradients_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
    let flat: [(&dyn Transport, bool); 2] = [(&AllToAll, false), (&AllGather, true)];
    for (transport, shuffle) in flat {
        let exchange = Exchange { transport, shuffle, ..Exchange::default() };
        let many = run(&plugin, &model, 2, 4, Settings { exchange, ..exact(2, 4) });
        assert_equal(&many, &one, transport.name());
    }
    let exchange = Exchange { shuffle: true, ..Exchange::default() };
    let shuffled = run(&plugin, &model, 1, 4, Settings { exchange, ..exact(1, 4) });
    assert_equal(&shuffled, &one, "shuffled");
}

#[test]
fn two_stages_and_rows_in_fewer_bits() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
    let on_nodes =
        |steps, (data, local): (usize, usize), transport: &'static dyn Transport, sent_as, how: Settings| {
            let exchange = Exchange { transport, sent_as, shuffle: false };
            let mesh = setup::mesh(data * 2 * local, 2 * local, 2);
            run_on(steps, &plugin, &model, mesh, Settings { exchange, ..how })
        };
    let staged = on_nodes(3, (2, 2), &TwoStage, None, exact(2, 4));
    assert_equal(&staged, &one, "exact plans on 2 x 2 x 2 ranks");
    assert!(staged.dispatch[0][0].home_max_over_mean > 1.2, "uneven: {:?}", staged.dispatch[0][0]);
    let staged = on_nodes(3, (1, 4), &TwoStage, None, balanced(1, 8, random(5)));
    assert_equal(&staged, &one, "random plans on 2 x 4 ranks");

    let cases: [(&dyn Transport, DType); 3] =
        [(&AllToAll, DType::Bf16), (&AllToAll, DType::I8), (&TwoStage, DType::I8)];
    let far = cases.map(|(transport, sent_as)| {
        let many = on_nodes(1, (1, 2), transport, Some(sent_as), exact(1, 4));
        let what = format!("{} as {sent_as}", transport.name());
        let error = (many.losses[0] - one.losses[0]).abs() / one.losses[0];
        assert!(error > 1e-7 && error < 2e-3, "{what}: losses {} and {}", many.losses[0], one.losses[0]);
        for (name, exact) in &one.gradients {
            let error = distance(&many.gradients[name], exact);
            assert!(error < 0.05, "{what}: gradient of {name} differs by {error:.1e}");
        }
        many.dispatch[0][0].bytes_far
    });
    // Rows of 32 elements go there and back, forward and backward; one of the four times as int8 with a scale, otherwise as bf16.
    let int8 = 32 + 4 + 3 * 64;
    // The gate of a row goes with it, its gradient comes back.
    let gate = 2 * 4;
    // 24 tokens with 3 choices, half of them of the other node.
    assert!(far[0] >= 24 * 3 / 2 * 4 * 64, "{far:?}");
    assert_eq!(far[1], far[0] * (int8 + gate) / (4 * 64 + gate));
    // One copy of every token; gates there and back and choices travel beside, 4 bytes each.
    assert_eq!(far[2], 24 * (int8 + 3 * 3 * 4));
}

#[test]
fn a_fused_micro_batch_gives_the_loss_and_gradients_of_one_rank() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[1]);
    let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
    for (data, expert) in [(1, 1), (1, 4), (2, 2)] {
        let many = run(
            &plugin,
            &model,
            data,
            expert,
            Settings { execution: Execution::Fused, ..exact(data, expert) },
        );
        assert_equal(&many, &one, &format!("fused {data}x{expert}"));
        // Even counts are expected before the first step, so on several ranks it does not fit at once.
        assert_eq!(many.dispatch[0][0].reruns > 0, expert > 1, "{:?}", many.dispatch[0][0]);
    }
}
