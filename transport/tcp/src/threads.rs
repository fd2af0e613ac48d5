//! Lanes, the gate and the status under every interleaving, and naive ones that some interleaving breaks.

mod gate;
mod lane;
mod status;
