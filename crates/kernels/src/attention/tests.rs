//! The kernels against loops, with every set of instructions of this processor.

use half::bf16;
use proptest::prelude::*;

use super::*;
use crate::random::numbers;

#[derive(Clone, Debug)]
struct Case {
    batch: usize,
    seq: usize,
    kv_heads: usize,
    group: usize,
    head_dim: usize,
    window: Option<usize>,
    segments: Vec<i32>,
    scale: f32,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let seq = prop_oneof![Just(0_usize), Just(1), 2..40_usize, 60..140_usize];
    let head_dim = prop_oneof![Just(1_usize), 2..20_usize, Just(32), Just(64)];
    (0..3_usize, seq, 1..3_usize, 1..4_usize, head_dim, any::<u64>()).prop_flat_map(
        |(batch, seq, kv_heads, group, head_dim, seed)| {
            let window = prop_oneof![Just(None), (1..seq + 2).prop_map(Some)];
            // Documents one after another, and now and then numbers that come again.
            let segments = prop_oneof![
                Just(vec![3; batch * seq]),
                Just((0..batch * seq).map(|i| (i / 23) as i32).collect::<Vec<_>>()),
                prop::collection::vec(0..3_i32, batch * seq),
            ];
            (window, segments, prop_oneof![Just(1.0_f32), Just(30.0)]).prop_map(
                move |(window, segments, scale)| Case {
                    batch,
                    seq,
                    kv_heads,
                    group,
                    head_dim,
                    window,
                    segments,
                    scale,
                    seed,
                },
            )
        },
    )
}

/// Query, key, value and cotangent.
struct Data<T> {
    query: Vec<T>,
    key: Vec<T>,
    value: Vec<T>,
    d_output: Vec<T>,
}

impl<T: Operand> Data<T> {
    fn new(c: &Case, of: impl Fn(f32) -> T + Copy) -> Self {
        let (tokens, kv) = (c.batch * c.seq, c.kv_heads * c.head_dim);
        let make = |n: usize, seed: u64, scale: f32| numbers(n, c.seed ^ seed, |x| of(x * scale));
        Self {
            query: make(tokens * kv * c.group, 1, c.scale),
            key: make(tokens * kv, 2, 1.0),
            value: make(tokens * kv, 3, 1.0),
            d_output: make(tokens * kv * c.group, 4, 1.0),
        }
    }

    fn problem<'a>(&'a self, c: &'a Case) -> Attention<'a, T> {
        Attention {
            query: &self.query,
            key: &self.key,
            value: &self.value,
            segments: &c.segments,
            batch: c.batch,
            seq: c.seq,
            heads: c.kv_heads * c.group,
            kv_heads: c.kv_heads,
            head_dim: c.head_dim,
            window: c.window,
        }
    }
}

/// Output, log-sum-exp and gradients.
fn run<T: Operand>(
    c: &Case,
    data: &Data<T>,
    width: usize,
    set: Instructions,
) -> (Vec<T>, Vec<f32>, [Vec<T>; 3]) {
    let p = data.problem(c);
    let threads = Threads::new(width, 1);
    let mut output = vec![T::zeroed(); p.query.len()];
    let mut sums = vec![f32::NAN; c.batch * p.heads * c.seq];
    attention(&p, &mut output, Some(&mut sums), &threads, set).expect("sizes fit");
    let mut alone = vec![T::zeroed(); p.query.len()];
    attention(&p, &mut alone, None, &threads, set).expect("sizes fit");
    assert_eq!(bytes(&output), bytes(&alone), "with and without the sums");
    let [mut dq, mut dk, mut dv] = [p.query.len(), p.key.len(), p.value.len()].map(|n| vec![T::zeroed(); n]);
    let kept = Kept { output: &output, sums: &sums, d_output: &data.d_output };
    let mut gradients = Gradients { query: &mut dq, key: &mut dk, value: &mut dv };
    attention_gradient(&p, &kept, &mut gradients, &threads, set).expect("sizes fit");
    (output, sums, [dq, dk, dv])
}

fn bytes<T: Operand>(x: &[T]) -> &[u8] {
    bytemuck::cast_slice(x)
}

/// Norm of the difference over the norm of what is wanted, or over `least` where that is less: a gradient may be a small
/// difference of large terms.
fn error<T: Operand>(got: &[T], want: &[f64], least: f32) -> f64 {
    assert_eq!(got.len(), want.len());
    let square = |x: f64| x * x;
    let far: f64 = got.iter().zip(want).map(|(g, w)| square(f64::from(g.to_f32()) - w)).sum();
    far.sqrt() / want.iter().map(|w| square(*w)).sum::<f64>().sqrt().max(f64::from(least))
}

fn agrees<T: Operand>(c: &Case, of: impl Fn(f32) -> T + Copy, limit: f64) -> Result<(), TestCaseError> {
    let data = Data::new(c, of);
    let p = data.problem(c);
    let (output, sums) = reference::attention(&p);
    for set in Instructions::available().and_plainer() {
        let (got, got_sums, gradients) = run(c, &data, 1, set);
        prop_assert!(error(&got, &output, 1.0) < limit, "{:?}: output {}", set, error(&got, &output, 1.0));
        prop_assert!(
            error(&got_sums, &sums, 1.0) < limit,
            "{:?}: sums {}",
            set,
            error(&got_sums, &sums, 1.0)
        );
        let kept = Kept { output: &got, sums: &got_sums, d_output: &data.d_output };
        for (name, (got, want)) in
            ["query", "key", "value"].iter().zip(gradients.iter().zip(reference::gradient(&p, &kept)))
        {
            prop_assert!(
                error(got, &want, c.scale) < limit * 4.0,
                "{:?}: d_{} {}",
                set,
                name,
                error(got, &want, c.scale)
            );
        }
        let more = run(c, &data, 3, set);
        prop_assert_eq!(bytes(&got), bytes(&more.0));
        prop_assert_eq!(bytes(&got_sums), bytes(&more.1));
        for (one, three) in gradients.iter().zip(&more.2) {
            prop_assert_eq!(bytes(one), bytes(three));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kernels_agree_with_loops_on_any_instructions_and_threads(c in case()) {
        agrees::<f32>(&c, |x| x, 2e-6)?;
        agrees::<bf16>(&c, bf16::from_f32, 1e-2)?;
    }
}

fn plain_case(seq: usize, head_dim: usize) -> Case {
    Case {
        batch: 1,
        seq,
        kv_heads: 1,
        group: 2,
        head_dim,
        window: None,
        segments: vec![0; seq],
        scale: 1.0,
        seed: 9,
    }
}

#[test]
fn rows_longer_than_a_chunk_agree() {
    let c = Case { window: Some(300), ..plain_case(700, 8) };
    agrees::<f32>(&c, |x| x, 2e-6).expect("f32 with a window");
    agrees::<bf16>(&plain_case(530, 16), bf16::from_f32, 1e-2).expect("bf16");
}

#[test]
fn scores_of_any_size_are_safe() {
    // One key far above the others: its weight is one, whatever its size.
    for size in [1e4_f32, 1e15] {
        let c = plain_case(40, 4);
        let mut data = Data::<f32>::new(&c, |x| x);
        data.query.fill(size);
        data.key[7 * 4..8 * 4].fill(size);
        for set in Instructions::available().and_plainer() {
            let (output, ..) = run(&c, &data, 1, set);
            for q in 7..40 {
                assert_eq!(output[q * 8..q * 8 + 4], data.value[28..32], "{set:?} {size} query {q}");
            }
        }
    }
}

#[test]
fn not_a_number_reaches_those_who_see_it_and_nobody_before() {
    for set in Instructions::available().and_plainer() {
        for poison in [f32::NAN, f32::INFINITY] {
            let c = Case { batch: 2, segments: vec![0; 2 * 50], ..plain_case(50, 4) };
            let mut data = Data::<f32>::new(&c, |x| x);
            // One key of the first row of the batch.
            data.key[20 * 4] = poison;
            data.query.fill(1.0);
            let (output, ..) = run(&c, &data, 2, set);
            let finite = |q: usize| output[q * 8..q * 8 + 8].iter().all(|x| x.is_finite());
            assert!((20..50).all(|q| !finite(q)), "{set:?} {poison}: it must be seen");
            assert!((50..100).all(finite), "{set:?} {poison}: another row saw it");
            assert!((0..16).all(finite), "{set:?} {poison}: an earlier block saw it");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let c = plain_case(6, 4);
    let data = Data::<f32>::new(&c, |x| x);
    let error = |p: &Attention<'_, f32>, len: usize| {
        let mut output = vec![0.0; len];
        let threads = Threads::new(1, 1);
        attention(p, &mut output, None, &threads, Instructions::best()).expect_err("does not fit").to_string()
    };
    let p = data.problem(&c);
    assert!(error(&p, 47).contains("`output` must be 48 elements"));
    assert!(error(&Attention { seq: 5, ..p }, 48).contains("`query` must be 40 elements"));
    assert!(error(&Attention { kv_heads: 0, ..p }, 48).contains("`key`"));
    assert!(error(&Attention { key: &data.query, kv_heads: 2, heads: 2, ..p }, 48).contains("`value`"));
    assert!(error(&Attention { window: Some(0), ..p }, 48).contains("`window` must be positive, got 0"));
    assert!(error(&Attention { batch: usize::MAX, ..p }, 48).contains("`query`"));
}

#[test]
fn heads_without_elements_are_refused() {
    let given = Attention::<f32> {
        query: &[],
        key: &[],
        value: &[],
        segments: &[0; 17],
        batch: 1,
        seq: 17,
        heads: 1,
        kv_heads: 1,
        head_dim: 0,
        window: None,
    };
    let error = attention(&given, &mut [], Some(&mut [0.0; 17]), &Threads::new(1, 1), Instructions::best());
    assert!(error.unwrap_err().to_string().contains("`query`"));
}
