//! Whether pieces fit into rooms. Yes and never are proofs; between them nothing is.

use std::cmp::Reverse;

use super::amount::{Amount, Measure};
use super::load::Piece;
use super::room::Room;
use crate::spec::Project;

/// What came of packing.
#[derive(Clone, Copy, Debug)]
pub enum Fit<'a> {
    /// There is a placement.
    Yes,
    /// The placement that was tried has no room for this project; there may be another one.
    Unproven(&'a Project),
    /// There cannot be one.
    Never(Lack<'a>),
}

/// Why there cannot be a placement.
#[derive(Clone, Copy, Debug)]
pub enum Lack<'a> {
    /// All machines together have too little.
    Total(Measure, u64, u64),
    /// No single machine that it may run on has enough for what must be on one machine.
    Single(&'a Project, Measure, u64, u64),
    /// It may run on no machine.
    Nowhere(&'a Project),
}

/// First fit, largest first, after what certainly rules it out.
pub fn pack<'a>(pieces: &[Piece<'a>], rooms: &[Room<'_>]) -> Fit<'a> {
    if let Some(lack) = single(pieces, rooms).or_else(|| total(pieces, rooms)) {
        return Fit::Never(lack);
    }
    let all: Amount = rooms.iter().map(|room| room.size).sum();
    let mut order: Vec<&Piece<'a>> = pieces.iter().collect();
    order.sort_by_key(|piece| (piece.project.agents.is_empty(), Reverse(piece.size.share(&all))));
    let mut free: Vec<Amount> = rooms.iter().map(|room| room.size).collect();
    for piece in order {
        let fit = rooms
            .iter()
            .zip(&mut free)
            .find(|(room, free)| piece.may_run_on(room) && piece.size.exceeds(free).is_none());
        let Some((_, free)) = fit else { return Fit::Unproven(piece.project) };
        *free = free.minus(piece.size);
    }
    Fit::Yes
}

fn single<'a>(pieces: &[Piece<'a>], rooms: &[Room<'_>]) -> Option<Lack<'a>> {
    pieces.iter().find_map(|piece| {
        let allowed: Vec<&Room<'_>> = rooms.iter().filter(|room| piece.may_run_on(room)).collect();
        if allowed.is_empty() {
            return Some(Lack::Nowhere(piece.project));
        }
        Measure::ALL.into_iter().find_map(|measure| {
            let most = allowed.iter().map(|room| room.size.of(measure)).max().unwrap_or(0);
            let needed = piece.size.of(measure);
            (needed > most).then_some(Lack::Single(piece.project, measure, needed, most))
        })
    })
}

fn total<'a>(pieces: &[Piece<'a>], rooms: &[Room<'_>]) -> Option<Lack<'a>> {
    let needed: Amount = pieces.iter().map(|piece| piece.size).sum();
    let there: Amount = rooms.iter().map(|room| room.size).sum();
    let measure = needed.exceeds(&there)?;
    Some(Lack::Total(measure, needed.of(measure), there.of(measure)))
}
