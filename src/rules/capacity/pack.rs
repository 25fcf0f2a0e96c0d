//! Whether pieces fit into rooms.

use super::amount::Measure;
use super::load::Piece;
use super::puzzle::Puzzle;
use super::room::Room;
use super::search::{Choice, Outcome, Stuck, WORK, oversize, quick, whole};
use crate::spec::Project;

/// What came of packing.
#[derive(Clone, Copy, Debug)]
pub enum Fit<'a> {
    /// There is a placement.
    Yes,
    /// No placement was found, and not all were tried.
    Unproven(Short<'a>),
    /// There is none.
    Never(Short<'a>),
}

/// Who goes without, and what is missing.
#[derive(Clone, Copy, Debug)]
pub struct Short<'a> {
    /// The project.
    pub project: &'a Project,
    /// What is missing and how much. `None`: a machine without another CouchDB node of it.
    pub lack: Option<(Measure, u64)>,
}

/// First what is quick, then what rules a placement out, then all placements, up to a bound. No
/// piece may be without a room that it may be in.
pub fn pack<'a>(pieces: &[Piece<'a>], rooms: &[Room<'_>]) -> Fit<'a> {
    let puzzle = Puzzle::new(pieces, rooms);
    let Err(stuck) = quick(&puzzle, Choice::First) else { return Fit::Yes };
    let Some(short) = short(pieces, stuck) else { return Fit::Yes };
    if let Some(alone) = oversize(&puzzle).and_then(|stuck| self::short(pieces, stuck)) {
        return Fit::Never(alone);
    }
    if let Some(lack) = puzzle.overfull() {
        return Fit::Never(Short { lack: Some(lack), ..short });
    }
    if [Choice::Fullest, Choice::Emptiest].into_iter().any(|choice| quick(&puzzle, choice).is_ok())
    {
        return Fit::Yes;
    }
    match whole(&puzzle, WORK) {
        Outcome::Found => Fit::Yes,
        Outcome::Impossible => Fit::Never(short),
        Outcome::GaveUp => Fit::Unproven(short),
    }
}

fn short<'a>(pieces: &[Piece<'a>], stuck: Stuck) -> Option<Short<'a>> {
    let project = pieces.get(stuck.piece)?.project;
    Some(Short { project, lack: stuck.lack })
}
