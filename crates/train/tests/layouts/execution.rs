//! Transports, shuffled tokens, and whole micro-batches as one program.

use collegium_balance::policy;
use collegium_core::DType;
use collegium_hlo::Residuals;
use collegium_model::programs::{Exchange, TransportKind};
use collegium_train::adapt::BalanceOptions;
use collegium_train::engine::{Execution, Settings};

use crate::harness::{assert_equal, model, plugin, run, settings};

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
    for (name, transport) in TransportKind::ALL {
        let shuffle = transport == TransportKind::AllGather;
        let exchange = Exchange { transport, shuffle, ..Exchange::default() };
        let many = run(&plugin, &model, 2, 4, Settings { exchange, ..exact(2, 4) });
        assert_equal(&many, &one, name);
    }
    let exchange = Exchange { shuffle: true, ..Exchange::default() };
    let shuffled = run(&plugin, &model, 1, 4, Settings { exchange, ..exact(1, 4) });
    assert_equal(&shuffled, &one, "shuffled");
}

#[test]
fn rows_sent_as_bfloat16_change_the_loss_a_little() {
    let Some(plugin) = plugin() else { return };
    let model = model(8, 3, &[0, 1]);
    let one = run(&plugin, &model, 1, 4, exact(1, 4));
    let exchange = Exchange { sent_as: Some(DType::Bf16), ..Exchange::default() };
    let many = run(&plugin, &model, 1, 4, Settings { exchange, ..exact(1, 4) });
    let error = (many.losses[0] - one.losses[0]).abs() / one.losses[0];
    assert!(error > 0.0 && error < 2e-3, "losses {} and {}", many.losses[0], one.losses[0]);
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
