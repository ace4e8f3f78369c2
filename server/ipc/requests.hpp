// SPDX-License-Identifier: MIT
// The whole language between the processes: every request and answer as a plain struct of fixed
// size. One message is one SOCK_SEQPACKET datagram: a Header, then the struct that its type names;
// descriptors come along (SCM_RIGHTS) only where the comment says so, in that order. A receiver
// that sees another size, type, version or number of descriptors closes the channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <netinet/in.h>

namespace ipc {

// N and N-1 are understood, so that a supervisor can be upgraded under running sessions.
inline constexpr std::uint16_t version = 1;

enum class Type : std::uint16_t {
    // supervisor -> spawner
    spawn = 1,
    kill,
    // spawner -> supervisor
    spawned = 10,
    exited,
    // supervisor -> greeter
    connection = 20,
    login_refused,
    login_accepted,
    // greeter -> supervisor
    authenticate = 30,
    // greeter or session -> supervisor, and back
    sign = 32,
    sign_answer,
    // greeter -> supervisor -> another greeter, and back to the supervisor
    proof_part,
    prove,
    proven,
    // supervisor -> authenticator or helper, and back
    login = 40,
    login_answer,
    // supervisor -> signer, and back
    sign_for = 45,
    signed_for,
    // signer -> supervisor
    signer_ready,
    // supervisor -> session
    enter = 50,
    listening,
    data_connected,
    data_failed,
    // session -> supervisor
    entered = 60,
    passive_open,
    passive_close,
    active_open,
    give_away,
    record,
    short_record,
    // session -> supervisor -> helper, and back
    name_of = 70,
    named,
    home_of,
    home_told,
    // supervisor -> helper, and back
    change_owner = 76,
    owner_changed,
    resolve,
    resolved,
    stamp,
    stamped,
    wrap,
    wrapped,
    // authenticator's child -> mounter, and back
    mount,
    mounted,
    // supervisor -> greeter or session
    stop = 90,
    given_away,
};

struct Header {
    std::uint16_t version;
    Type type;
    std::uint32_t size;  // bytes of the struct that follows
};

// Text of at most N bytes; longer text is cut by the sender, who must care. Not NUL-terminated.
template <std::size_t N>
struct Text {
    std::uint32_t length;
    char bytes[N];

    static constexpr std::size_t capacity = N;
    [[nodiscard]] std::string_view view() const {
        return {bytes, length <= N ? length : std::size_t{0}};
    }
    void assign(std::string_view text) {
        length = static_cast<std::uint32_t>(text.size() < N ? text.size() : N);
        if (length > 0) std::memcpy(bytes, text.data(), length);  // empty text may be null
    }
    [[nodiscard]] bool valid() const { return length <= N; }
};

// An IPv4 or IPv6 address and port as the kernel has them; IPv4-mapped IPv6 is kept as it is.
union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

inline constexpr std::size_t longest_name = 128;   // vsftpd: a longer user name or password fails
inline constexpr std::size_t longest_line = 4096;  // a command line, its terminator included
inline constexpr std::size_t longest_path = 4096;  // PATH_MAX
inline constexpr std::size_t longest_overrides = 4096;  // of one connection

enum class Child : std::uint32_t { greeter = 1, session = 2 };

// One descriptor: the child's end of its channel.
// And, where the child is to have one of its own, a second descriptor: its cgroup.
struct Spawn {
    static constexpr Type type = Type::spawn;
    std::uint64_t id;  // chosen by the supervisor, never used twice
    Child child;
    std::uint32_t reserved;
};

// The spawner sends the signal only while the child is its own and unreaped.
struct Kill {
    static constexpr Type type = Type::kill;
    std::uint64_t id;
    std::int32_t signal;
    std::uint32_t reserved;
};

struct Spawned {
    static constexpr Type type = Type::spawned;
    std::uint64_t id;
    std::int32_t pid;     // in the host's pid namespace; 0 when it could not be made
    std::int32_t number;  // errno then
};

struct Exited {
    static constexpr Type type = Type::exited;
    std::uint64_t id;
    std::int32_t pid;
    std::int32_t status;  // as waitpid(2) gives it
};

inline constexpr std::size_t nonce_size = 32;

// One descriptor: the control connection.
struct Connection {
    static constexpr Type type = Type::connection;
    Address peer;
    Address local;
    std::uint32_t clients;              // connections now, this one included (STAT tells)
    std::uint32_t has_tenants;          // 1: whatever local_enable says, a password is asked for
    std::uint8_t nonce[nonce_size];     // for its CertificateRequest, with cert_username_field
    Text<longest_overrides> overrides;  // options of this connection: "name=value\0" each
};

enum class Refusal : std::uint32_t {
    incorrect = 1,   // 530 Login incorrect.
    denied,          // 530 Permission denied. (user list)
    fatal,           // 500 OOPS: text, then close
    unavailable,     // 421 text, then close
    needs_password,  // 331 (530 with close_after): the client's certificate is not this user's
};

struct LoginRefused {
    static constexpr Type type = Type::login_refused;
    Refusal refusal;
    std::uint32_t close_after;  // 1: max_login_fails reached, close after the reply
    Text<512> text;
};

// A session has the control connection now; a greeter without TLS ends without another byte to the
// client. With TLS one descriptor: the other end of what the session takes for its control
// connection, for the greeter to relay to and from.
struct LoginAccepted {
    static constexpr Type type = Type::login_accepted;
    std::uint32_t reserved;
};

inline constexpr std::size_t ticket_key_size = 80;
inline constexpr std::size_t longest_session = 4096;

// What a session needs for the TLS of its data connections, from the greeter that made it. Opaque
// to whoever passes it on, and secret: to be wiped.
struct TlsRecord {
    std::uint32_t encrypted;     // 1: the control connection is TLS, on the client's side
    std::uint32_t data_private;  // 1: PROT P is in force already
    unsigned char ticket_key[ticket_key_size];
    Text<longest_session> session;  // for clients that resume by its ID; empty: there is none
};

// What a greeter asks for. One descriptor: the control connection (the greeter keeps its own until
// the answer); none with TLS, whose socket it keeps. Input that the client sent ahead, after PASS,
// goes to the session untouched.
struct Authenticate {
    static constexpr Type type = Type::authenticate;
    std::uint32_t anonymous;       // 1: USER was ftp or anonymous and these are allowed
    std::uint32_t has_password;    // 0: logged in at USER (no_anon_password, by_certificate)
    std::uint32_t by_certificate;  // 1: the client's; the ProofParts came before the first of these
    Text<longest_name> user;
    Text<longest_name> password;
    std::uint32_t too_long;  // 1: user or password did not fit, so the login can only fail
    Text<longest_line> unread;
    TlsRecord tls;
};

inline constexpr std::size_t longest_names = 2048;  // in a client's certificate

enum class Account : std::uint32_t { anonymous = 1, system = 2 /* PAM or tenant */ };

// To an authenticator (system) or a helper (anonymous).
struct Login {
    static constexpr Type type = Type::login;
    std::uint64_t id;
    Account account;
    std::uint32_t has_password;
    std::uint32_t by_certificate;  // 1: the client has proven that one with these names is its own
    Address peer;
    Text<longest_name> user;
    Text<longest_name> password;
    Text<longest_names> names;          // "name\0" each
    Text<longest_overrides> overrides;  // options of this connection: "name=value\0" each
};

// What the broker may do for a session; options of its user are already applied.
struct DataPolicy {
    std::uint16_t pasv_min_port;  // both 0: any port from 1024
    std::uint16_t pasv_max_port;
    std::uint16_t source_port;  // of active connections; 0: any
    std::uint16_t reserved;
    std::uint8_t pasv_promiscuous;
    std::uint8_t port_promiscuous;
    std::uint8_t pasv_enable;
    std::uint8_t port_enable;
    std::uint32_t accept_timeout;   // seconds; 0: for ever
    std::uint32_t connect_timeout;  // seconds; 0: for ever
    in_addr pasv_address;           // 0.0.0.0: none was configured
    std::uint32_t pasv_by_name;     // 1: it is the server's, a name that is looked up now and then
};

inline constexpr std::size_t most_binds = 8;  // folders in a session's jail besides its home

// What else it may do for it.
struct Grants {
    std::uint32_t uid;       // the session's
    std::uint8_t names;      // text_userdb_names
    std::uint8_t homes;      // tilde_user_enable
    std::uint8_t give_away;  // chown_uploads, for those with anonymous rights
    std::uint8_t reserved;
    std::uint64_t devices[1 + most_binds];  // of the file systems in the jail; 0: none
    std::uint32_t new_owner;                // chown_username
    std::uint32_t new_mode;                 // chown_upload_mode
};

// Where the account's sessions are to be made. Limits: 0 is none.
struct Cgroup {
    std::uint64_t memory;  // bytes
    std::uint32_t processes;
    std::uint32_t cpu_weight;
    std::uint32_t io_weight;
    std::uint32_t reserved;
    Text<longest_name + 8> name;  // empty: with all others
};

enum class Outcome : std::uint32_t {
    admitted = 1,
    wrong,           // user, password or account: 530 Login incorrect.
    broken,          // right password, but no session possible: 500 OOPS: client_text
    needs_password,  // the certificate is not this user's
};

// Two descriptors when admitted: the directory that becomes the session's root, and the admission
// (ipc/admission.hpp) in a sealed memfd; then as many mounts as binds says; with session_support a
// last one, which is closed when the session has ended. None otherwise.
struct LoginAnswer {
    static constexpr Type type = Type::login_answer;
    std::uint64_t id;
    Outcome outcome;
    Account account;
    std::uint32_t guest;  // 1: logged in as guest_username (xferlog mode g)
    std::uint32_t binds;
    DataPolicy data;
    Grants grants;
    Cgroup cgroup;
    Text<longest_name> user;            // the name from now on (PAM may have changed it)
    Text<longest_name> shown_password;  // anonymous: the e-mail address given, for the logs
    Text<512> client_text;              // broken: what follows "500 OOPS: "
    Text<512> reason;  // not admitted: the real reason, for the administrator's log
};

// To a blank session. Three descriptors: root directory, admission, control connection; then the
// mounts of the admission's binds; and, where an account's sessions share their rate, a last one:
// the memory with their clock.
struct Enter {
    static constexpr Type type = Type::enter;
    Address peer;
    Address local;
    std::uint32_t clients;
    Text<longest_line> unread;
    TlsRecord tls;  // encrypted: the control connection is the greeter's TLS end
};

// The session stands in its jail (number 0), or a step of the plan failed and it ends.
struct Entered {
    static constexpr Type type = Type::entered;
    std::int32_t number;  // errno; 0 with empty step: success
    std::uint32_t reserved;
    Text<512> step;  // empty: success
};

// Listen for one data connection on the control connection's local address. A second one replaces
// the first.
struct PassiveOpen {
    static constexpr Type type = Type::passive_open;
    std::uint32_t sequence;  // answers carry it, so that a late one is recognised
};

struct Listening {
    static constexpr Type type = Type::listening;
    std::uint32_t sequence;
    std::uint16_t port;  // 0: none was free
    std::uint16_t reserved;
    in_addr address;  // that 227 tells; 0.0.0.0: there is none (IPv6)
};

// Also of the port that listens ahead.
struct PassiveClose {
    static constexpr Type type = Type::passive_close;
    std::uint32_t sequence;
};

// Connect to the client. The broker checks address and port (bounce attacks).
struct ActiveOpen {
    static constexpr Type type = Type::active_open;
    std::uint32_t sequence;
    Address target;
};

// One descriptor: a connected TCP socket, non-blocking and close-on-exec.
struct DataConnected {
    static constexpr Type type = Type::data_connected;
    std::uint32_t sequence;
    std::uint16_t next_port;  // listening ahead for PassiveOpen sequence + 1, which need not be
    std::uint16_t reserved;   // sent then; 0: none
};

enum class DataFailure : std::uint32_t {
    timeout = 1,  // nobody came, or no answer
    wrong_peer,   // 425 Security: Bad IP connecting.
    refused,      // connect(2) failed
    forbidden,    // the policy does not allow it
};

struct DataFailed {
    static constexpr Type type = Type::data_failed;
    std::uint32_t sequence;
    DataFailure failure;
};

// chown_uploads. One descriptor: the uploaded file, opened for writing.
struct GiveAway {
    static constexpr Type type = Type::give_away;
    std::uint32_t reserved;
};

struct GivenAway {
    static constexpr Type type = Type::given_away;
    std::int32_t number;  // errno; 0: done
};

inline constexpr std::size_t key_id_size = 32;          // SHA-256
inline constexpr std::size_t random_size = 32;          // RFC 5246 7.4.1.2
inline constexpr std::size_t longest_hash = 48;         // of a handshake: SHA-384
inline constexpr std::size_t longest_point = 136;       // P-521, uncompressed: 133
inline constexpr std::size_t longest_signature = 1024;  // RSA of 8192 bits

enum class Handshake : std::uint32_t {
    certificate_verify = 1,  // TLS 1.3: hash
    server_key_exchange,     // up to TLS 1.2: randoms, curve and point
};

// The fields of what a TLS server signs, never the bytes: the signer builds those itself, so that
// nobody can have anything else signed. All of it is hostile.
struct ToSign {
    std::uint8_t key[key_id_size];  // SHA-256 of the certificate's SubjectPublicKeyInfo
    std::uint16_t scheme;           // RFC 8446 4.2.3
    std::uint16_t curve;            // RFC 8422 5.1.1
    Handshake kind;
    Text<longest_hash> hash;
    std::uint8_t client_random[random_size];
    std::uint8_t server_random[random_size];
    Text<longest_point> point;
};

struct Sign {
    static constexpr Type type = Type::sign;
    std::uint32_t sequence;  // the answer carries it, so that a late one is recognised
    ToSign what;
};

struct Signed {
    static constexpr Type type = Type::sign_answer;
    std::uint32_t sequence;
    std::int32_t number;  // errno; 0: signed
    Text<longest_signature> signature;
};

struct SignFor {
    static constexpr Type type = Type::sign_for;
    std::uint64_t id;  // chosen by the supervisor, never used twice
    ToSign what;
};

struct SignedFor {
    static constexpr Type type = Type::signed_for;
    std::uint64_t id;
    std::int32_t number;  // EINVAL, ENOKEY ...; 0: signed
    Text<longest_signature> signature;
};

inline constexpr std::size_t longest_proof_part = 12 * 1024;
inline constexpr std::size_t longest_proof = 64 * 1024;  // all parts together

// What was said in a greeter's handshake up to the client's CertificateVerify (RFC 8446), piece by
// piece. The supervisor passes it on to a greeter that has no client, and never looks at it.
struct ProofPart {
    static constexpr Type type = Type::proof_part;
    Text<longest_proof_part> bytes;
};

// Behind the last part: is it a handshake for which the signer has signed this hash with this key,
// and with this connection's nonce in it? Then whose certificate has the client proven to be its
// own?
struct Prove {
    static constexpr Type type = Type::prove;
    std::uint8_t nonce[nonce_size];
    std::uint8_t key[key_id_size];
    Text<longest_hash> hash;
};

struct Proven {
    static constexpr Type type = Type::proven;
    Text<512> refusal;          // empty: it has
    Text<512> subject;          // for the log
    Text<longest_names> names;  // what cert_username_field names in it: "name\0" each
};

// The signer has its keys and is confined, or what is wrong with them and it ends. One descriptor
// when ready: the certificates (ipc/certificates.hpp) in a sealed memfd. None otherwise.
struct SignerReady {
    static constexpr Type type = Type::signer_ready;
    Text<1024> error;  // empty: ready
};

// No padding, in which a signer's memory could travel to a greeter.
static_assert(std::has_unique_object_representations_v<Sign> &&
              std::has_unique_object_representations_v<Signed> &&
              std::has_unique_object_representations_v<SignFor> &&
              std::has_unique_object_representations_v<SignedFor>);

// text_userdb_names: a number of the user database, and its name.
struct NameOf {
    static constexpr Type type = Type::name_of;
    std::uint64_t id;
    std::uint32_t group;  // 1: of a group, 0: of a user
    std::uint32_t number;
};

struct Named {
    static constexpr Type type = Type::named;
    std::uint64_t id;
    Text<64> name;  // empty: it has none
};

// tilde_user_enable: "~ann".
struct HomeOf {
    static constexpr Type type = Type::home_of;
    std::uint64_t id;
    Text<longest_name> user;
};

struct HomeTold {
    static constexpr Type type = Type::home_told;
    std::uint64_t id;
    Text<longest_path> path;  // on the host; empty: there is no such user
};

// GiveAway on its way to a helper, which looks at the file that comes along (one descriptor) before
// it changes anything: regular, one link, on one of these devices, owned by that user, opened for
// writing.
struct ChangeOwner {
    static constexpr Type type = Type::change_owner;
    std::uint64_t id;
    std::uint64_t devices[1 + most_binds];
    std::uint32_t owner;
    std::uint32_t new_owner;
    std::uint32_t new_mode;
    std::uint32_t reserved;
};

struct OwnerChanged {
    static constexpr Type type = Type::owner_changed;
    std::uint64_t id;
    std::int32_t number;  // errno; 0: done
    std::uint32_t reserved;
};

// pasv_addr_resolve: the IPv4 address of a name. Supervisor -> helper, and back.
struct Resolve {
    static constexpr Type type = Type::resolve;
    std::uint64_t id;
    Text<256> name;
};

struct Resolved {
    static constexpr Type type = Type::resolved;
    std::uint64_t id;
    in_addr address;  // 0.0.0.0: there is none now
    std::uint32_t reserved;
};

// tcp_wrappers: may it come in? Supervisor -> helper, and back. One descriptor: the control
// connection, which nothing is read from (rules may have a banner sent, or set socket options).
struct Wrap {
    static constexpr Type type = Type::wrap;
    std::uint64_t id;
};

struct Wrapped {
    static constexpr Type type = Type::wrapped;
    std::uint64_t id;
    std::uint32_t allowed;
    std::uint32_t reserved;
    Text<512> client_text;  // not empty: what follows "500 OOPS: ", and the connection ends
    Text<512> reason;       // of that, for the administrator
    Text<longest_overrides> overrides;  // VSFTPD_LOAD_CONF: options of this connection
};

// Whether userlist_file or banner_file have changed, or the certificates. Supervisor -> helper, and
// back.
struct Stamp {
    static constexpr Type type = Type::stamp;
    std::uint64_t id;
    std::uint64_t certificates;  // 1: these
};

struct Stamped {
    static constexpr Type type = Type::stamped;
    std::uint64_t id;
    std::uint64_t stamp;  // another one when they are not the same any more; never 0
};

// A home, or a shared folder, as a mount that stands nowhere yet. Two descriptors: the directory,
// and the end of a channel for the answer, which brings one: the mount.
struct Mount {
    static constexpr Type type = Type::mount;
    std::uint32_t read_only;
    std::uint32_t no_links;
};

struct Mounted {
    static constexpr Type type = Type::mounted;
    std::int32_t number;  // errno, without a descriptor then
    Text<128> what;       // failed
};

enum class Event : std::uint32_t {
    // OK/FAIL lines of vsftpd.log
    download = 1,
    upload,
    mkdir,
    rmdir,
    rename,   // path and second
    chmod,    // path, second is the octal mode
    remove,   // DELE
    refused,  // userlist_log: USER refused by the user list; path is the name
    // log_ftp_protocol
    command,   // path is the line (passwords already replaced)
    response,  // path is the reply
    // debug_ssl and hints
    debug,
    warning,  // for the administrator's own log
    fatal,    // path is what followed "500 OOPS: " (log_die)
};

// One line for the logs. Time, pid, user and addresses are the supervisor's.
struct Record {
    static constexpr Type type = Type::record;
    Event event;
    std::uint32_t success;
    std::uint64_t bytes;         // transferred
    std::uint64_t microseconds;  // that the transfer took
    std::uint32_t has_size;      // 1: bytes and rate are shown
    std::uint32_t ascii;         // TYPE in force (xferlog a/b)
    Text<longest_path> path;     // as seen inside the jail
    Text<longest_path> second;   // another path, a mode; of a transfer: why it failed
};

// The same for names of usual length: a tenth of the bytes for every transfer.
struct ShortRecord {
    static constexpr Type type = Type::short_record;
    Event event;
    std::uint32_t success;
    std::uint64_t bytes;
    std::uint64_t microseconds;
    std::uint32_t has_size;
    std::uint32_t ascii;
    Text<512> path;
    Text<64> second;
};

template <typename To, typename From>
[[nodiscard]] To record_as(const From& from) {
    To to{};
    to.event = from.event;
    to.success = from.success;
    to.bytes = from.bytes;
    to.microseconds = from.microseconds;
    to.has_size = from.has_size;
    to.ascii = from.ascii;
    to.path.assign(from.path.view());
    to.second.assign(from.second.view());
    return to;
}

// Finish the transfer, then 421 and end. Idle connections end at once.
struct Stop {
    static constexpr Type type = Type::stop;
    std::uint32_t grace;     // seconds until the supervisor ends it with SIGKILL
    std::uint32_t too_slow;  // 1: the login took too long; 0: the server ends
};

template <typename Message>
concept Sendable = std::is_trivially_copyable_v<Message> && requires {
    { Message::type } -> std::convertible_to<Type>;
};

}  // namespace ipc
