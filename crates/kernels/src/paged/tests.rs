use half::bf16;
use proptest::prelude::*;

use super::*;
use crate::Instructions;
use crate::attention::{Attention, attention};
use crate::random::numbers;

/// A step with everything that it is made of.
struct Case<T> {
    qkv: Vec<T>,
    angles: [Vec<f32>; 2],
    norms: [Vec<T>; 2],
    place: Vec<i32>,
    pages: Vec<i32>,
    sequence: Vec<i32>,
    position: Vec<i32>,
    caches: [Vec<T>; 2],
    kv_heads: usize,
    group: usize,
    head_dim: usize,
}

const COLUMNS: usize = 3;
const EPS: f32 = 1e-5;

impl<T: Operand> Case<T> {
    /// Sequences of some tokens each, at the end of what they see; a page belongs to one of them. One that nobody sees holds what is no number.
    fn random(
        seed: u64,
        [sequences, tokens, kv_heads, group, half]: [usize; 5],
        of: impl Fn(f32) -> T + Copy,
    ) -> Self {
        let dice = |i: usize, below: usize| seed.rotate_left(7 * i as u32 % 64) as usize % below;
        let head_dim = 2 * half;
        let held = sequences * COLUMNS + 1;
        let (mut sequence, mut position, mut place) = (vec![], vec![], vec![]);
        for s in 0..sequences {
            let own = 1 + dice(s, tokens);
            let last = own - 1 + dice(s + 5, COLUMNS * PAGE - own);
            for at in last + 1 - own..=last {
                sequence.push(s as i32);
                position.push(at as i32);
                place.push((((s * COLUMNS + at / PAGE) + 1) * PAGE + at % PAGE) as i32);
            }
        }
        let count = sequence.len();
        let size = held * kv_heads * head_dim * PAGE;
        let mut caches = [1, 2].map(|i| numbers(size, seed + i, of));
        caches.iter_mut().for_each(|cache| cache[..kv_heads * head_dim * PAGE].fill(of(f32::NAN)));
        // A padding token, which writes to the first page.
        sequence.push(0);
        position.push(-1);
        place.push(0);
        let count = count + 1;
        Self {
            qkv: numbers(count * (group + 2) * kv_heads * head_dim, seed + 3, of),
            angles: [4, 5].map(|i| numbers(count * half, seed + i, |x| x)),
            norms: [6, 7].map(|i| numbers(head_dim, seed + i, of)),
            place,
            pages: (1..held as i32).collect(),
            sequence,
            position,
            caches,
            kv_heads,
            group,
            head_dim,
        }
    }

    fn step(&self, window: Option<usize>, is_normed: bool) -> PagedStep<'_, T> {
        PagedStep {
            qkv: &self.qkv,
            cos: &self.angles[0],
            sin: &self.angles[1],
            norms: is_normed.then_some(([&self.norms[0], &self.norms[1]], EPS)),
            place: &self.place,
            pages: &self.pages,
            sequence: &self.sequence,
            position: &self.position,
            heads: self.kv_heads * self.group,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            columns: COLUMNS,
            window,
        }
    }

    fn run(&self, step: &PagedStep<'_, T>, width: usize) -> ([Vec<T>; 2], Vec<T>) {
        let [mut keys, mut values] = self.caches.clone();
        let mut out = vec![T::from_f32(9.0); step.place.len() * step.heads * step.head_dim];
        paged_step(step, [&mut keys, &mut values], &mut out, &Threads::new(width, 1)).unwrap();
        ([keys, values], out)
    }

    /// One token of a step.
    fn alone<'a>(&self, step: &PagedStep<'a, T>, token: usize) -> PagedStep<'a, T> {
        let (features, half) = (step.qkv.len() / step.place.len(), self.head_dim / 2);
        PagedStep {
            qkv: &step.qkv[token * features..][..features],
            cos: &step.cos[token * half..][..half],
            sin: &step.sin[token * half..][..half],
            place: &step.place[token..=token],
            sequence: &step.sequence[token..=token],
            position: &step.position[token..=token],
            ..*step
        }
    }

    /// A token's key of one head as its definition has it, and as f64.
    fn turned(&self, token: usize, head: usize, is_normed: bool, norm: usize) -> Vec<f64> {
        let (width, half) = (self.head_dim, self.head_dim / 2);
        let features = (self.group + 2) * self.kv_heads * width;
        let from = &self.qkv[token * features + head * width..][..width];
        let mut x: Vec<f64> = from.iter().map(|x| f64::from(x.to_f32())).collect();
        if is_normed {
            let mean = x.iter().map(|x| x * x).sum::<f64>() / width as f64;
            let root = (mean + f64::from(EPS)).sqrt();
            x.iter_mut().zip(&self.norms[norm]).for_each(|(x, w)| *x = *x / root * f64::from(w.to_f32()));
        }
        let angle = |which: usize, i: usize| f64::from(self.angles[which][token * half + i]);
        let low = (0..half).map(|i| x[i] * angle(0, i) - x[half + i] * angle(1, i));
        let high = (0..half).map(|i| x[half + i] * angle(0, i) + x[i] * angle(1, i));
        low.chain(high).collect()
    }

    /// What a head of a token attends to, over the caches that the kernel left.
    fn attended(
        &self,
        step: &PagedStep<'_, T>,
        (keys, values): (&dyn Fn(usize) -> f64, &dyn Fn(usize) -> f64),
        token: usize,
        head: usize,
    ) -> Vec<f64> {
        let (width, kv_head) = (self.head_dim, head / self.group);
        let Ok(last) = usize::try_from(self.position[token]) else { return vec![0.0; width] };
        let query = self.turned(token, head, step.norms.is_some(), 0);
        let first = step.window.map_or(0, |w| (last + 1).saturating_sub(w));
        let slab = |place: usize| {
            let page = self.pages[self.sequence[token] as usize * COLUMNS + place / PAGE] as usize;
            (page * self.kv_heads + kv_head) * width * PAGE
        };
        let key = |place: usize, d: usize| keys(slab(place) + d * PAGE + place % PAGE);
        let value = |place: usize, d: usize| values(slab(place) + place % PAGE * width + d);
        let score = |place: usize| -> f64 {
            (0..width).map(|d| query[d] * key(place, d)).sum::<f64>() / (width as f64).sqrt()
        };
        let powers: Vec<f64> = (first..=last).map(|place| score(place).exp()).collect();
        let total: f64 = powers.iter().sum();
        (0..width)
            .map(|d| (first..=last).zip(&powers).map(|(at, p)| p / total * value(at, d)).sum())
            .collect()
    }
}

fn agrees<T: Operand>(
    seed: u64,
    sizes: [usize; 5],
    (window, is_normed): (Option<usize>, bool),
    limit: f64,
    of: impl Fn(f32) -> T + Copy,
) {
    let case = Case::random(seed, sizes, of);
    let step = case.step(window, is_normed);
    let (caches, out) = case.run(&step, 2);
    let (heads, width) = (step.heads, case.head_dim);
    let close = |found: T, want: f64| {
        let found = f64::from(found.to_f32());
        assert!((found - want).abs() <= limit * (1.0 + want.abs()), "{found} instead of {want}");
    };
    for token in 0..case.place.len() {
        let (page, row) = (case.place[token] as usize / PAGE, case.place[token] as usize % PAGE);
        for head in 0..case.kv_heads {
            let slab = (page * case.kv_heads + head) * width * PAGE;
            let key = case.turned(token, heads + head, is_normed, 1);
            key.iter().enumerate().for_each(|(d, &want)| close(caches[0][slab + d * PAGE + row], want));
            let value = &step.features(token)[2][head * width..][..width];
            assert!(
                caches[1][slab + row * width..][..width]
                    .iter()
                    .zip(value)
                    .all(|(a, b)| a.to_f32() == b.to_f32())
            );
        }
        for head in 0..heads {
            let found = &out[(token * heads + head) * width..][..width];
            let [keys, values] = [0, 1].map(|which: usize| {
                let cache = &caches[which];
                move |at: usize| f64::from(cache[at].to_f32())
            });
            let want = case.attended(&step, (&keys, &values), token, head);
            found.iter().zip(want).for_each(|(found, want)| close(*found, want));
        }
    }
    each_token_is_its_own(&case, &step, &caches, &out);
}

/// Over a cache in int8, `case`'s caches being what it held: what the kernel leaves stands for the rows to half a scale, and what it gives is attention over
/// what it left, each token alone.
fn agrees_in_int8<T: Operand>(
    seed: u64,
    sizes: [usize; 5],
    window: Option<usize>,
    limit: f64,
    of: impl Fn(f32) -> T + Copy,
) {
    let case = Case::random(seed, sizes, of);
    let step = case.step(window, true);
    let (width, rows) = (case.head_dim, case.caches[0].len() / case.head_dim);
    let held = [8, 9].map(|i| numbers(case.caches[0].len(), seed + i, |x| (x * 127.0) as i8));
    let scales = [10, 11].map(|i| numbers(rows, seed + i, |x| x.abs() / 127.0));
    let run = |step: &PagedStep<'_, T>, (mut cells, mut scales): ([Vec<i8>; 2], [Vec<f32>; 2]), threads| {
        let mut out = vec![T::from_f32(9.0); step.place.len() * step.heads * width];
        let ([keys, values], [key_scales, value_scales]) = (&mut cells, &mut scales);
        let caches = Caches { keys, values, scales: [key_scales, value_scales] };
        paged_step_int8(step, caches, &mut out, &Threads::new(threads, 1)).unwrap();
        (cells, scales, out)
    };
    let (cells, scales, out) = run(&step, (held, scales), 2);
    // The same in f64.
    let key =
        |at: usize| f64::from(cells[0][at]) * f64::from(scales[0][at / (width * PAGE) * PAGE + at % PAGE]);
    let value = |at: usize| f64::from(cells[1][at]) * f64::from(scales[1][at / width]);
    for token in 0..case.place.len() {
        let (page, row) = (case.place[token] as usize / PAGE, case.place[token] as usize % PAGE);
        for head in 0..case.kv_heads {
            let slab = (page * case.kv_heads + head) * PAGE;
            let half = |which: usize| 0.501 * f64::from(scales[which][slab + row]) + limit;
            let right = case.turned(token, step.heads + head, true, 1);
            let far = right.iter().enumerate().map(|(d, x)| (key(slab * width + d * PAGE + row) - x).abs());
            assert!(far.fold(0.0, f64::max) <= half(0), "a key that is off");
            let given = &step.features(token)[2][head * width..][..width];
            let far = given
                .iter()
                .enumerate()
                .map(|(d, x)| (value((slab + row) * width + d) - f64::from(x.to_f32())).abs());
            assert!(far.fold(0.0, f64::max) <= half(1), "a value that is off");
        }
        for head in 0..step.heads {
            let want = case.attended(&step, (&key, &value), token, head);
            for (found, want) in out[(token * step.heads + head) * width..].iter().zip(want) {
                let found = f64::from(found.to_f32());
                assert!((found - want).abs() <= limit * (1.0 + want.abs()), "{found} instead of {want}");
            }
        }
        let alone = run(&case.alone(&step, token), (cells.clone(), scales.clone()), 1).2;
        let bits = |x: &[T]| x.iter().map(|x| x.to_f32().to_bits()).collect::<Vec<_>>();
        let own = step.heads * width;
        assert_eq!(bits(&alone), bits(&out[token * own..][..own]), "token {token} alone");
    }
}

/// Whatever the threads and the company, the same bits. The token alone finds in the cache what the others put there.
fn each_token_is_its_own<T: Operand>(
    case: &Case<T>,
    step: &PagedStep<'_, T>,
    caches: &[Vec<T>; 2],
    out: &[T],
) {
    let bits = |x: &[T]| x.iter().map(|x| x.to_f32().to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&case.run(step, 3).1), bits(out), "three threads");
    for token in 0..step.place.len() {
        let one = case.alone(step, token);
        let [mut keys, mut values] = caches.clone();
        let width = step.heads * case.head_dim;
        let mut alone = vec![T::from_f32(9.0); width];
        paged_step(&one, [&mut keys, &mut values], &mut alone, &Threads::new(1, 1)).unwrap();
        assert_eq!(bits(&alone), bits(&out[token * width..][..width]), "token {token} alone");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_loops_and_no_token_depends_on_another(
        seed: u64,
        sizes in (0..4_usize, 1..20_usize, 1..3_usize, 1..10_usize, 1..40_usize),
        window in prop::option::of(1..40_usize),
        is_normed: bool,
    ) {
        let sizes = [sizes.0, sizes.1, sizes.2, sizes.3, sizes.4];
        agrees::<f32>(seed, sizes, (window, is_normed), 4e-6, |x| x);
        agrees::<bf16>(seed, sizes, (window, is_normed), 3e-2, bf16::from_f32);
        agrees_in_int8::<f32>(seed, sizes, window, 4e-6, |x| x);
        agrees_in_int8::<bf16>(seed, sizes, window, 3e-2, bf16::from_f32);
    }
}

#[test]
fn what_the_cache_does_not_have_is_refused_and_nothing_written() {
    let case = Case::random(3, [1, 1, 1, 1, 1], |x: f32| x);
    let good = case.step(None, false);
    let call = |step: PagedStep<'_, f32>| {
        let [mut keys, mut values] = case.caches.clone();
        let done = paged_step(
            &step,
            [&mut keys, &mut values],
            &mut vec![0.0; case.place.len() * 2],
            &Threads::new(1, 1),
        );
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let is_same = bits(&keys) == bits(&case.caches[0]) && bits(&values) == bits(&case.caches[1]);
        assert!(done.is_ok() || is_same, "written though refused");
        done.map_err(|error| error.to_string())
    };
    call(good).unwrap();
    let position = [(COLUMNS * PAGE) as i32, -1];
    let error = call(PagedStep { position: &position, ..good }).unwrap_err();
    assert!(error.contains("sequence 0 at position 48"), "{error}");
    assert!(call(PagedStep { sequence: &[1, 0], ..good }).is_err());
    assert!(call(PagedStep { pages: &[4, 4, 4], ..good }).unwrap_err().contains("pages of the 4"));
    assert!(call(PagedStep { place: &[64, 0], ..good }).unwrap_err().contains("places below 64"));
    assert!(
        call(PagedStep { pages: &[1, 9, 9], position: &[0, -1], ..good }).is_ok(),
        "what is not seen may be anything"
    );
}

/// A prompt in pages, and the same tokens as a row of training.
#[test]
fn in_pairs_a_token_has_the_bits_of_training() {
    let of = bf16::from_f32;
    for (tokens, [kv_heads, group, head_dim], window) in [
        (1, [1, 1, 2], None),
        (300, [2, 2, 16], None),
        (290, [1, 3, 40], Some(100)),
        (140, [1, 8, 64], Some(17)),
        (600, [1, 1, 128], None),
    ] {
        let (heads, width) = ((group + 2) * kv_heads, head_dim);
        let qkv = numbers(tokens * heads * width, tokens as u64, of);
        let part = |from: usize, count: usize| -> Vec<bf16> {
            let row = |token: usize| &qkv[(token * heads + from) * width..][..count * width];
            (0..tokens).flat_map(row).copied().collect()
        };
        let number = |t: usize| t as i32;
        let places: Vec<i32> = (0..tokens).map(number).collect();
        let columns = tokens.div_ceil(PAGE);
        let half = tokens * width / 2;
        let step = PagedStep {
            qkv: &qkv,
            cos: &vec![1.0; half],
            sin: &vec![0.0; half],
            norms: None,
            place: &places,
            pages: &(0..columns).map(number).collect::<Vec<_>>(),
            sequence: &vec![0; tokens],
            position: &places,
            heads: group * kv_heads,
            kv_heads,
            head_dim,
            columns,
            window,
        };
        let held = vec![of(f32::NAN); columns * kv_heads * width * PAGE];
        let (mut keys, mut values) = (held.clone(), held);
        let mut found = vec![of(9.0); tokens * group * kv_heads * width];
        paged_step(&step, [&mut keys, &mut values], &mut found, &Threads::new(2, 1)).unwrap();
        let row = Attention {
            query: &part(0, group * kv_heads),
            key: &part(group * kv_heads, kv_heads),
            value: &part((group + 1) * kv_heads, kv_heads),
            segments: &vec![0; tokens],
            batch: 1,
            seq: tokens,
            heads: group * kv_heads,
            kv_heads,
            head_dim,
            window,
        };
        let mut right = vec![of(9.0); found.len()];
        attention(&row, &mut right, None, &Threads::new(2, 1), Instructions::best()).unwrap();
        for (at, (found, right)) in found.iter().zip(&right).enumerate() {
            let is_same = found.to_f32() == right.to_f32();
            let is_near = (found.to_f32() - right.to_f32()).abs() < 2e-2;
            let is_exact = Instructions::best() == Instructions::Avx512Bf16;
            assert!(is_same || !is_exact && is_near, "{found} for {right} at {at} of {tokens} x {head_dim}");
        }
    }
}
