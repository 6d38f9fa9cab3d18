//! vast.ai's client against a server that answers as vast.ai does.

use super::*;
use crate::machine::MachineState;
use crate::test_server::TestServer;

const KEY: &str = "test_0123456789abcdef";

async fn vast(answers: &[&str]) -> (TestServer, Vast) {
    let server = TestServer::of(answers).await;
    let vast = Vast::new(&server.account(&[KEY])).unwrap();
    (server, vast)
}

fn order() -> Order {
    Order::new("77", "pytorch/pytorch", 20.0, "doppio:by-hand:00c0ffee")
}

fn id() -> MachineId {
    MachineId::vast(12)
}

#[tokio::test]
async fn all_pages_of_the_list_are_read_with_the_key_in_a_header_only() {
    let (server, vast) = vast(&[
        "200 OK\n\n{\"instances\":[{\"id\":1},{\"id\":2}],\"next_token\":\"t+1\"}",
        "200 OK\n\n{\"instances\":[{\"id\":3,\"actual_status\":\"running\"}],\"next_token\":null}",
    ])
    .await;
    let all = vast.list().await.unwrap();
    let ids: Vec<String> = all.iter().map(|machine| machine.id.to_string()).collect();
    assert_eq!(ids, ["vast-1", "vast-2", "vast-3"]);
    assert!(server.lines()[1].ends_with("&after_token=t%2B1"), "{:?}", server.lines());
    for request in server.asked() {
        let (first, rest) = request.split_once('\n').unwrap();
        assert!(
            first.starts_with("GET /api/v1/instances/?select_filters=%7B%7D&") && !first.contains(KEY),
            "{first}"
        );
        assert!(rest.contains(&format!("authorization: Bearer {KEY}")), "{rest}");
    }
}

#[tokio::test]
async fn a_machine_that_is_gone_is_null() {
    let (_server, vast) = vast(&["200 OK\n\n{\"instances\":null}"]).await;
    assert_eq!(vast.show(&id()).await.unwrap_err(), RentedError::NoMachine(id()));
}

#[tokio::test]
async fn destroying_what_is_gone_is_done() {
    let gone = "404 Not Found\n\n{\"success\":false,\"error\":\"no_such_instance\",\"msg\":\"Instance 12 not found\"}";
    let (_server, vast) = vast(&[gone, gone]).await;
    vast.destroy(&id()).await.unwrap();
    assert_eq!(vast.stop(&id()).await.unwrap_err(), RentedError::NoMachine(id()));
    // Something else may be there, and the machine run on.
    let (_server, elsewhere) = self::vast(&["404 Not Found\n\n{\"detail\":\"Not Found\"}"]).await;
    elsewhere.destroy(&id()).await.unwrap_err();
}

#[tokio::test]
async fn long_keys_and_tokens_are_whole() {
    let key = format!("ssh-rsa {} me", "A".repeat(700));
    let token = "t".repeat(900);
    let (server, vast) = vast(&[
        &format!("200 OK\n\n[{{\"id\":1,\"key\":\"{key}\"}}]"),
        "404 Not Found\n\n{\"msg\":\"No SSH keys found\"}",
        &format!("200 OK\n\n{{\"instances\":[],\"next_token\":\"{token}\"}}"),
        "200 OK\n\n{\"instances\":[]}",
    ])
    .await;
    assert_eq!(vast.account_keys().await.unwrap()[0].public_key, key);
    assert!(vast.account_keys().await.unwrap().is_empty());
    vast.list().await.unwrap();
    assert!(server.lines()[3].ends_with(&format!("after_token={token}")));
}

#[tokio::test]
async fn an_expired_key_is_followed_by_the_next_one() {
    for expired in [
        "404 Not Found\n\n{\"success\":false,\"msg\":\"Session expired. Please log in again.\"}",
        "401 Unauthorized\n\n{\"success\":false,\"error\":\"auth_error\",\"msg\":\"Invalid user key\"}",
    ] {
        let fine = "200 OK\n\n{\"instances\":{\"id\":12}}";
        let server = TestServer::of(&[expired, fine, fine]).await;
        let vast = Vast::new(&server.account(&["test_second_factor_key", KEY])).unwrap();
        vast.show(&id()).await.unwrap();
        vast.show(&id()).await.unwrap();
        let by: Vec<bool> = server.asked().iter().map(|request| request.contains(KEY)).collect();
        assert_eq!(by, [false, true, true]);
        let (_server, alone) = self::vast(&[expired]).await;
        let error = alone.show(&id()).await.unwrap_err();
        assert!(matches!(error, RentedError::BadKey { .. }), "{error:?}");
        assert!(error.hint().ends_with("`doppio secret set vast/api_key`"), "{}", error.hint());
    }
}

#[tokio::test]
async fn a_busy_server_is_waited_for_and_a_failing_one_asked_again() {
    let (server, vast) = vast(&[
        "429 Too Many Requests\n\nAPI requests too frequent: endpoint threshold=0.05",
        "502 Bad Gateway\n\n<html>bad gateway</html>",
        "",
        "200 OK\n\n{\"instances\":{\"id\":12}}",
    ])
    .await;
    let start = std::time::Instant::now();
    vast.show(&id()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_server_that_asks_for_too_long_a_wait_is_not_waited_for() {
    let (server, vast) = vast(&["429 Too Many Requests\nretry-after: 3600\n\n{}"]).await;
    let error = vast.show(&id()).await.unwrap_err();
    assert_eq!(error, RentedError::Busy { vendor: VendorName::Vast, wait: Some(Duration::from_hours(1)) });
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn the_daily_quota_of_searches_is_not_asked_again() {
    let (server, vast) = vast(&[
        "429 Too Many Requests\nx-ratelimit-reset: 1700000000\n\n{\"success\":false,\"error\":\"search_quota_exceeded\"}",
    ])
    .await;
    let search = Search {
        filters: Query::default().into_filters(),
        disk_gb: 20.0,
        limit: 5,
        sort: Vec::new(),
        interruptible: false,
    };
    let error = vast.offers(&search).await.unwrap_err();
    assert_eq!(error.to_string(), "the daily searches at vast.ai are used up until 2023-11-14 22:13 UTC");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_page_of_something_else_is_not_an_answer() {
    let (_server, vast) = vast(&["200 OK\n\n<!doctype html><title>sign in</title>"]).await;
    let error = vast.show(&id()).await.unwrap_err();
    assert!(matches!(error, RentedError::NotApi { status: 200, .. }), "{error:?}");
    assert!(error.hint().contains("VAST_URL"), "{}", error.hint());
}

#[tokio::test]
async fn a_redirect_to_another_server_gets_no_key() {
    let other = TestServer::of(&["200 OK\n\n{\"instances\":{\"id\":12}}"]).await;
    let answer = format!("302 Found\nlocation: {}/api\n\n", other.base);
    let (_server, vast) = vast(&[&answer]).await;
    vast.show(&id()).await.unwrap_err();
    assert!(other.asked().is_empty());
    let (server, vast) =
        self::vast(&["302 Found\nlocation: /elsewhere/\n\n", "200 OK\n\n{\"instances\":{\"id\":12}}"]).await;
    vast.show(&id()).await.unwrap();
    assert_eq!(server.lines()[1], "GET /elsewhere/");
}

#[tokio::test]
async fn each_refusal_is_an_error_of_its_own() {
    let (_server, vast) = vast(&[
        "402 Payment Required\n\n{\"success\":false,\"error\":\"payment_required\",\"msg\":\"no money\"}",
        "400 Bad Request\n\n{\"success\":false,\"error\":\"insufficient_credit\",\"msg\":\"Your credit is low\"}",
        "403 Forbidden\n\n{\"success\":false,\"msg\":\"not permitted\"}",
        "409 Conflict\n\n{\"success\":false,\"msg\":\"already starting\"}",
        "400 Bad Request\n\n{\"success\":false,\"msg\":\"test_0123456789abcdef is odd\"}",
    ])
    .await;
    let mut errors = Vec::new();
    for _ in 0..5 {
        errors.push(vast.start(&id()).await.unwrap_err());
    }
    assert!(matches!(errors[0], RentedError::NoCredit { .. }), "{errors:?}");
    assert!(matches!(errors[1], RentedError::NoCredit { .. }), "{errors:?}");
    assert!(matches!(errors[2], RentedError::NotAllowed { .. }), "{errors:?}");
    assert!(matches!(errors[3], RentedError::WrongState { .. }), "{errors:?}");
    assert_eq!(errors[4].to_string(), "vast.ai refuses to start a machine (400): *** is odd");
}

#[tokio::test]
async fn an_order_carries_its_label_and_its_keys_are_hidden() {
    let (server, vast) =
        vast(&["200 OK\n\n{\"success\":true,\"new_contract\":12,\"instance_api_key\":\"test_of_instance\"}"])
            .await;
    assert_eq!(vast.create(&order()).await.unwrap(), id());
    let request = &server.asked()[0];
    assert!(request.starts_with("PUT /api/v0/asks/77/ "), "{request}");
    for part in
        ["\"label\":\"doppio:by-hand:00c0ffee\"", "\"runtype\":\"ssh_direc ssh_proxy\"", "\"disk\":20.0"]
    {
        assert!(request.contains(part), "{request}");
    }
}

#[tokio::test]
async fn an_order_without_an_answer_is_looked_up_and_not_sent_again() {
    let listed = "200 OK\n\n{\"instances\":[{\"id\":12,\"label\":\"doppio:by-hand:00c0ffee\"}]}";
    for unclear in ["", "504 Gateway Timeout\n\n<html>", "200 OK\n\n<html>", "200 OK\n\n{\"success\":true}"] {
        let (server, vast) = vast(&[unclear, "200 OK\n\n{\"instances\":[]}", listed]).await;
        assert_eq!(vast.create(&order()).await.unwrap(), id(), "{unclear}");
        let verbs: Vec<String> = server.lines().iter().map(|line| line[..3].to_owned()).collect();
        assert_eq!(verbs, ["PUT", "GET", "GET"]);
        assert!(
            server.lines()[1]
                .contains("%7B%22label%22%3A%7B%22eq%22%3A%22doppio%3Aby-hand%3A00c0ffee%22%7D%7D")
        );
    }
    let (_server, nowhere) = vast(&["", "403 Forbidden\n\n{\"msg\":\"scoped\"}"]).await;
    let error = nowhere.create(&order()).await.unwrap_err();
    assert!(matches!(error, RentedError::CreateUnclear { .. }), "{error:?}");
}

#[tokio::test]
async fn an_offer_that_is_taken_is_said() {
    let taken = "400 Bad Request\n\n{\"success\":false,\"error\":\"no_such_ask\",\"msg\":\"Instance type not available\"}";
    let (server, vast) = vast(&[taken]).await;
    let error = vast.create(&order()).await.unwrap_err();
    assert_eq!(error, RentedError::OfferTaken { vendor: VendorName::Vast, offer: "77".to_owned() });
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn what_a_refused_order_leaves_is_destroyed() {
    let low = "400 Bad Request\n\n{\"success\":false,\"error\":\"bid_too_low\",\"msg\":\"too low\",\"new_contract\":12}";
    let (server, vast) = vast(&[low, "200 OK\n\n{\"success\":true}"]).await;
    let error = vast.create(&order()).await.unwrap_err();
    assert!(matches!(error, RentedError::Refused { .. }), "{error:?}");
    assert_eq!(server.lines()[1], "DELETE /api/v0/instances/12/");
    let (_server, stuck) = self::vast(&[low, "403 Forbidden\n\n{\"success\":false,\"msg\":\"no\"}"]).await;
    let error = stuck.create(&order()).await.unwrap_err();
    assert!(error.hint().ends_with("`doppio vast destroy vast-12`"), "{}", error.hint());
}

#[tokio::test]
async fn an_order_against_the_rules_is_not_sent() {
    let (server, vast) = vast(&[]).await;
    let too_long = Order { label: "l".repeat(300), ..order() };
    let little = Order { disk_gb: 4.0, ..order() };
    let path = Order { offer: "7/../8".to_owned(), ..order() };
    for order in [too_long, little, path] {
        assert!(matches!(vast.create(&order).await, Err(RentedError::BadOrder(_))));
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_log_is_fetched_without_the_key() {
    let (server, vast) = vast(&[
        "200 OK\n\n{\"success\":true,\"result_url\":\"{base}/logs/12.log\"}",
        "404 Not Found\n\n",
        "200 OK\n\none\ntwo\n",
    ])
    .await;
    assert_eq!(vast.logs(&id(), 100).await.unwrap(), "one\ntwo\n");
    assert_eq!(server.lines()[2], "GET /logs/12.log");
    assert!(server.asked()[1..].iter().all(|request| !request.contains(KEY)));
}

#[tokio::test]
async fn the_account_is_read_without_its_key() {
    let (_server, vast) = vast(&["200 OK\n\n{\"api_key\":\"test_of_account\",\"credit\":\"12.5\"}"]).await;
    assert_eq!(vast.balance().await.unwrap().credit, Dollars(12.5));
}

#[tokio::test]
async fn a_state_changes_by_a_request() {
    let fine = "200 OK\n\n{\"success\":true}";
    let (server, vast) =
        vast(&[fine, fine, fine, "200 OK\n\n{\"instances\":{\"id\":12,\"actual_status\":\"loading\"}}"])
            .await;
    vast.start(&id()).await.unwrap();
    vast.set_label(&id(), "mine").await.unwrap();
    vast.attach_key(&id(), "ssh-ed25519 AAAA me\n").await.unwrap();
    assert_eq!(vast.show(&id()).await.unwrap().state, MachineState::Loading);
    let asked = server.asked();
    assert!(asked[0].ends_with("{\"state\":\"running\"}") && asked[1].ends_with("{\"label\":\"mine\"}"));
    assert!(asked[2].ends_with("{\"ssh_key\":\"ssh-ed25519 AAAA me\"}"), "{}", asked[2]);
}

#[test]
fn a_key_is_sent_only_where_nobody_can_read_it() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let account = |base: &str| Account {
        keys: vec![doppio_secrets::SecretValue::new(KEY.as_bytes().to_vec())],
        base: Some(base.to_owned()),
        in_haste: true,
    };
    for base in
        ["http://console.vast.ai", "ftp://127.0.0.1", "console.vast.ai", "https://u:made-up@h.example"]
    {
        let error = Vast::new(&account(base)).unwrap_err();
        assert!(
            matches!(error, RentedError::BadBase { .. }) && !error.to_string().contains("made-up"),
            "{error}"
        );
    }
    for base in ["https://console.vast.ai", "http://127.0.0.1:8080", "http://localhost:1/prefix/"] {
        Vast::new(&account(base)).unwrap();
    }
    assert_eq!(Vast::new(&Account::default()).unwrap_err(), RentedError::NoKey(VendorName::Vast));
}
