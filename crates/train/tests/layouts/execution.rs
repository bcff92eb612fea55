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
use crate::harness::{Outcome, assert_equal, distance, model, plugin, run, run_on, settings};

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
fn two_stages_give_the_loss_and_gradients_of_one_rank_and_send_less_to_other_nodes() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let one = run(&plugin, &model, 1, 1, settings(1, 1, Residuals::Dots));
    let on_nodes = |data: usize, local: usize, transport: &'static dyn Transport, how: Settings| {
        let exchange = Exchange { transport, ..Exchange::default() };
        let mesh = setup::mesh(data * 2 * local, 2 * local, 2);
        run_on(3, &plugin, &model, mesh, Settings { exchange, ..how })
    };
    let staged = on_nodes(2, 2, &TwoStage, exact(2, 4));
    assert_equal(&staged, &one, "exact plans on 2 x 2 x 2 ranks");
    assert!(staged.dispatch[0][0].home_max_over_mean > 1.2, "uneven: {:?}", staged.dispatch[0][0]);
    let random = on_nodes(1, 4, &TwoStage, balanced(1, 8, random(5)));
    assert_equal(&random, &one, "random plans on 2 x 4 ranks");
    // T tokens go to the other node where k T / 2 rows did, each way forward and backward.
    let flat = on_nodes(1, 2, &AllToAll, exact(1, 4));
    assert_equal(&flat, &one, "all-to-all on 2 x 2 ranks");
    let (tokens, row_bytes) = (8 * 12 / 4, 32 * 4);
    let staged = on_nodes(1, 2, &TwoStage, exact(1, 4));
    let (staged, flat) = (&staged.dispatch[0][0], &flat.dispatch[0][0]);
    let beside = staged.bytes_far as f64 / (4 * tokens * row_bytes) as f64;
    assert!((1.0..1.2).contains(&beside), "gates and choices beside the rows: {beside}");
    assert!(flat.bytes_far >= 4 * tokens * row_bytes * 3 / 2 && flat.bytes_near > 0, "{flat:?}");
}

#[test]
fn rows_in_fewer_bits_change_the_loss_a_little_and_cost_fewer_bytes() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let how = |transport: &'static dyn Transport, sent_as: Option<DType>| {
        let exchange = Exchange { transport, sent_as, shuffle: false };
        run_on(3, &plugin, &model, setup::mesh(4, 4, 2), Settings { exchange, ..exact(1, 4) })
    };
    let one = how(&AllToAll, None);
    let bytes = |o: &Outcome| (o.dispatch[0][0].bytes_near + o.dispatch[0][0].bytes_far) as f64;
    // Of four exchanges of rows one is int8 with a scale for 32 elements, the others are bf16.
    let int8 = (1.0 + 4.0 / 32.0 + 3.0 * 2.0) / 16.0;
    let cases: [(&dyn Transport, DType, Option<f64>); 3] = [
        (&AllToAll, DType::Bf16, Some(0.5)),
        (&AllToAll, DType::I8, Some(int8)),
        (&TwoStage, DType::I8, None),
    ];
    for (transport, sent_as, share) in cases {
        let many = how(transport, Some(sent_as));
        let error = (many.losses[0] - one.losses[0]).abs() / one.losses[0];
        let what = format!("{} as {sent_as}", transport.name());
        assert!(error > 0.0 && error < 2e-3, "{what}: losses {} and {}", many.losses[0], one.losses[0]);
        for (name, exact) in &one.gradients {
            let error = distance(&many.gradients[name], exact);
            assert!(error < 0.05, "{what}: gradient of {name} differs by {error:.1e}");
        }
        if let Some(share) = share {
            assert!((bytes(&many) / bytes(&one) - share).abs() < 1e-3, "{what}: {} bytes", bytes(&many));
        }
    }
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
