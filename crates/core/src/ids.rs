//! Each index space has its own type, so that an expert is never taken for a slot.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into a vector over this space.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                Self(u32::try_from(index).expect("index spaces here hold far fewer than 2^32 members"))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// One device of a mesh, in mesh order.
    RankId
);
id!(
    /// One expert of a layer, as the checkpoint numbers it.
    ExpertId
);
id!(
    /// A place for one expert's weights on a rank: homes first, then clones.
    SlotId
);
id!(
    /// One transformer layer, from the embedding upwards.
    LayerId
);
