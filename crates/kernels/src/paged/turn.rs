//! The heads of a token, normalised and turned.

use super::PagedStep;
use crate::Operand;
use crate::lanes::{self, Loop};

/// The heads of one token, normalised and turned.
pub(super) struct Turn<'a, 'o, T> {
    pub step: &'a PagedStep<'a, T>,
    pub token: usize,
    pub norm: Option<(&'a [T], f32)>,
    pub from: &'a [T],
    pub to: &'o mut [T],
}

/// Largest head that is turned without memory of its own.
const WIDTH: usize = 256;

impl<T: Operand> Loop for Turn<'_, '_, T> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { step, token, norm, from, to } = self;
        let width = step.head_dim;
        let half = width / 2;
        let (cos, sin) = (&step.cos[token * half..][..half], &step.sin[token * half..][..half]);
        let (mut few, mut many) = ([0f32; 2 * WIDTH], Vec::new());
        let room = if width <= WIDTH {
            &mut few[..2 * width]
        } else {
            many.resize(2 * width, 0f32);
            &mut many[..]
        };
        let (wide, turned) = room.split_at_mut(width);
        for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
            for i in 0..width {
                wide[i] = from[i].to_f32();
            }
            if let Some((weight, eps)) = norm {
                let squares = lanes::dots::<f32, 1, FMA>([&*wide], wide)[0];
                T::narrowed(wide, 1.0 / (squares / width as f32 + eps).sqrt(), to);
                for i in 0..width {
                    wide[i] = to[i].to_f32() * weight[i].to_f32();
                }
                T::narrowed(wide, 1.0, to);
                for i in 0..width {
                    wide[i] = to[i].to_f32();
                }
            }
            for i in 0..half {
                turned[i] = lanes::fused::<FMA>(wide[i], cos[i], -(wide[half + i] * sin[i]));
                turned[half + i] = lanes::fused::<FMA>(wide[half + i], cos[i], wide[i] * sin[i]);
            }
            T::narrowed(turned, 1.0, to);
        }
    }
}
