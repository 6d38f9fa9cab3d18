//! A machine by its id, wherever a host is named.

use crate::rented::world::World;
use crate::rented::world::expect_all;
use crate::rented::world::hire;
use crate::rented::world::work;

#[test]
fn a_machine_is_a_host_by_its_id() {
    let world = World::new();
    world.run(&(hire("") + &work("true"))).expect(0);
    let id = world.machine();
    let ran = world.doppio.run(["exec", "--host", &id, "--", "hostname"]).expect(0);
    assert_eq!(ran.stdout, "c-31000001\n");
    let ran = world.doppio.run(["ssh", &id, "--", "hostname"]).expect(0);
    assert!(ran.stdout.ends_with("c-31000001\n"), "{ran:?}");
    let ran = world.doppio.run(["doctor", "--host", &id]);
    expect_all(&ran.stdout, &["login", "host-key", "RTX 4090"]);
    let other = id.replacen('-', ":", 1);
    let ran = world
        .run(&format!(
            "\n[[step]]\nid = \"a\"\nssh_command = {{ host_id = \"{other}\", command = \"hostname\" }}\n"
        ))
        .expect(0);
    expect_all(&ran.stderr, &["c-31000001"]);

    world.doppio.run(["vast", "stop", &id]).expect(0);
    let start = format!("`doppio vast start {id}`");
    for command in [
        &["exec", "--host", &id, "--", "hostname"][..],
        &["ssh", &id, "--", "hostname"],
        &["run", "recipe.toml"],
    ] {
        let ran = world.doppio.run(command).expect(3);
        expect_all(&ran.stderr, &[&format!("`{id}` is stopped"), &start]);
    }
    let ran = world.doppio.run(["doctor", "--host", &id]);
    expect_all(&(ran.stdout + &ran.stderr), &[&format!("`{id}` is stopped"), &start]);
    world.doppio.run(["vast", "destroy", &id, "--yes"]).expect(0);
    let ran = world.doppio.run(["exec", "--host", &id, "--", "hostname"]).expect(3);
    expect_all(&ran.stderr, &[&format!("`{id}` does not exist, or no longer"), "`doppio vast list`"]);
    world.expect_nothing_left();
}
