//! Groups that have one user and nobody else.

use std::fs;

/// Whether a group is one of this machine's own that nobody but the user is in. A group of a directory service
/// is none, since nobody can say here who is in it.
pub(crate) fn is_private(user: u32, group: u32) -> bool {
    match (fs::read_to_string("/etc/passwd"), fs::read_to_string("/etc/group")) {
        (Ok(users), Ok(groups)) => has_only(user, group, &users, &groups),
        _ => false,
    }
}

/// The same by the texts of `passwd(5)` and `group(5)`: it is nobody else's first group, and has no other members.
fn has_only(user: u32, group: u32, users: &str, groups: &str) -> bool {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let is = |field: Option<&String>, id: u32| field.and_then(|field| field.parse().ok()) == Some(id);
    let users: Vec<_> = users.lines().map(fields).collect();
    let names: Vec<&str> =
        users.iter().filter(|fields| is(fields.get(2), user)).map(|fields| fields[0].as_str()).collect();
    let is_first_of_others = users.iter().any(|fields| is(fields.get(3), group) && !is(fields.get(2), user));
    let mut groups = groups.lines().map(fields).filter(|fields| is(fields.get(2), group)).peekable();
    let is_known = groups.peek().is_some() && !names.is_empty();
    let has_others = groups.any(|fields| {
        let members = fields.get(3).map(String::as_str).unwrap_or_default();
        members.split(',').map(str::trim).any(|member| !member.is_empty() && !names.contains(&member))
    });
    is_known && !is_first_of_others && !has_others
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n\
                         bob:x:1001:1001::/home/bob:/bin/sh\ncal:x:1002:100::/home/cal:/bin/sh\n\
                         dan:x:1003:100::/home/dan:/bin/sh\n";

    #[test]
    fn a_group_with_others_in_it_is_not_private() {
        let groups =
            "root:x:0:\nusers:x:100:\nann:x:1000:\nown:x:1010:ann\nbob:x:1001:ann\nteam:x:1011:ann,bob\n";
        let private = |user, group| has_only(user, group, USERS, groups);
        assert!(private(1000, 1000));
        assert!(private(1000, 1010));
        // Another is in it, whose own it is or not; it is the first group of others.
        for (user, group) in [(1001, 1001), (1000, 1001), (1000, 1011), (1002, 100)] {
            assert!(!private(user, group), "{user} {group}");
        }
        // Unknown here: the user, the group.
        assert!(!private(2000, 2000) && !private(1000, 2000));
        assert!(!has_only(1000, 1000, "broken\n", "broken\n:::\n"));
    }
}
