//! The decision table: what desired, prior and live together mean.

use super::{Action, Reason};

/// What the state says of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prior {
    /// Nothing.
    None,
    /// An interrupted or failed run may have made it.
    Tentative,
    /// It was recorded.
    Recorded,
}

/// What reading it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Proof that it is not there.
    Absent,
    /// It is there.
    Present {
        /// It is this resource's: recorded id, boma's mark, or the natural key of an interrupted
        /// create.
        ours: bool,
        /// Some owned field is not as desired.
        differs: bool,
    },
}

/// What is done about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// An action; for [`Action::Update`] the diff may still raise it to a replace.
    Do(Action, Reason),
    /// Something stands in its place that is not boma's.
    Taken,
}

/// Everything the table looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The spec asks for it.
    pub desired: bool,
    /// See [`Prior`].
    pub prior: Prior,
    /// See [`Seen`].
    pub seen: Seen,
    /// The spec lets boma take it over.
    pub adopt: bool,
    /// It holds data.
    pub holds_data: bool,
    /// The user gave its data up by name.
    pub abandoned: bool,
    /// It is protected.
    pub protected: bool,
    /// The whole spec is being destroyed.
    pub destroy: bool,
}

/// Decides one row. What was not read never gets here: it is blocked.
pub fn decide(row: Row) -> Decision {
    use Decision::Do;
    match (row.desired, row.prior, row.seen) {
        (true, Prior::Recorded, Seen::Absent) => Do(Action::Create, Reason::DeletedOutside),
        (true, _, Seen::Absent) => Do(Action::Create, Reason::New),
        (true, _, Seen::Present { ours: false, .. }) if row.adopt => {
            Do(Action::Adopt, Reason::AdoptAsked)
        }
        (true, _, Seen::Present { ours: false, .. }) => Decision::Taken,
        (true, Prior::Tentative, Seen::Present { .. }) => Do(Action::Adopt, Reason::Interrupted),
        (true, Prior::None, Seen::Present { .. }) => Do(Action::Adopt, Reason::Marked),
        (true, Prior::Recorded, Seen::Present { differs: true, .. }) => {
            Do(Action::Update, Reason::SpecChanged)
        }
        (true, Prior::Recorded, Seen::Present { differs: false, .. }) => {
            Do(Action::NoOp, Reason::Equal)
        }
        (false, _, Seen::Absent | Seen::Present { ours: false, .. }) => {
            Do(Action::Forget, Reason::GoneAlready)
        }
        (false, ..) if row.holds_data && !row.abandoned => Do(Action::Forget, Reason::HoldsData),
        (false, ..) if row.protected => Do(Action::Forget, Reason::Protected),
        (false, ..) if row.holds_data => Do(Action::Delete, Reason::Abandoned),
        (false, ..) if row.destroy => Do(Action::Delete, Reason::Destroyed),
        (false, ..) => Do(Action::Delete, Reason::RemovedFromSpec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Seen = Seen::Present { ours: true, differs: false };
    const DIFFERS: Seen = Seen::Present { ours: true, differs: true };
    const FOREIGN: Seen = Seen::Present { ours: false, differs: true };

    fn row(desired: bool, prior: Prior, seen: Seen) -> Row {
        Row {
            desired,
            prior,
            seen,
            adopt: false,
            holds_data: false,
            abandoned: false,
            protected: false,
            destroy: false,
        }
    }

    fn check(row: Row, action: Action, reason: Reason) {
        assert_eq!(decide(row), Decision::Do(action, reason), "{row:?}");
    }

    #[test]
    fn desired_and_absent_is_created() {
        check(row(true, Prior::None, Seen::Absent), Action::Create, Reason::New);
        check(row(true, Prior::Tentative, Seen::Absent), Action::Create, Reason::New);
        check(row(true, Prior::Recorded, Seen::Absent), Action::Create, Reason::DeletedOutside);
    }

    #[test]
    fn desired_and_marked_is_adopted() {
        check(row(true, Prior::None, OURS), Action::Adopt, Reason::Marked);
        check(row(true, Prior::None, DIFFERS), Action::Adopt, Reason::Marked);
        check(row(true, Prior::Tentative, OURS), Action::Adopt, Reason::Interrupted);
    }

    #[test]
    fn what_is_not_ours_is_taken_over_only_on_request() {
        for prior in [Prior::None, Prior::Tentative, Prior::Recorded] {
            assert_eq!(decide(row(true, prior, FOREIGN)), Decision::Taken);
            let asked = Row { adopt: true, ..row(true, prior, FOREIGN) };
            check(asked, Action::Adopt, Reason::AdoptAsked);
        }
    }

    #[test]
    fn recorded_and_present_is_compared() {
        check(row(true, Prior::Recorded, DIFFERS), Action::Update, Reason::SpecChanged);
        check(row(true, Prior::Recorded, OURS), Action::NoOp, Reason::Equal);
    }

    #[test]
    fn not_desired_and_present_is_deleted() {
        check(row(false, Prior::Recorded, OURS), Action::Delete, Reason::RemovedFromSpec);
        check(row(false, Prior::Tentative, OURS), Action::Delete, Reason::RemovedFromSpec);
        let destroyed = Row { destroy: true, ..row(false, Prior::Recorded, OURS) };
        check(destroyed, Action::Delete, Reason::Destroyed);
    }

    #[test]
    fn data_and_protected_things_are_only_forgotten() {
        for destroy in [false, true] {
            let base = Row { destroy, ..row(false, Prior::Recorded, OURS) };
            check(Row { holds_data: true, ..base }, Action::Forget, Reason::HoldsData);
            check(Row { protected: true, ..base }, Action::Forget, Reason::Protected);
        }
    }

    #[test]
    fn data_goes_only_where_it_was_given_up() {
        let given_up = Row { abandoned: true, ..row(false, Prior::Recorded, OURS) };
        let data = Row { holds_data: true, ..given_up };
        check(data, Action::Delete, Reason::Abandoned);
        check(Row { protected: true, ..data }, Action::Forget, Reason::Protected);
        check(Row { protected: true, ..given_up }, Action::Forget, Reason::Protected);
        check(Row { desired: true, ..data }, Action::NoOp, Reason::Equal);
        let foreign = Row { seen: FOREIGN, ..data };
        check(foreign, Action::Forget, Reason::GoneAlready);
    }

    #[test]
    fn not_desired_and_gone_or_foreign_is_forgotten() {
        check(row(false, Prior::Recorded, Seen::Absent), Action::Forget, Reason::GoneAlready);
        check(row(false, Prior::Recorded, FOREIGN), Action::Forget, Reason::GoneAlready);
    }
}
