//! Every gradient rule against finite differences.

use collegium_testkit::finite_difference::{LIMIT, check};
use collegium_testkit::{Gradient, table};

#[test]
fn gradients_are_derivatives() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in table().iter().filter(|c| c.gradient == Gradient::Derivative) {
        match check(case) {
            Ok(checks) => {
                checked += checks.len();
                wrong.extend(
                    checks.iter().filter(|c| c.error > LIMIT || c.error.is_nan()).map(|c| format!("{c:?}")),
                );
            }
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100, "only {checked} gradients were checked");
}
