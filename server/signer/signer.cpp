// SPDX-License-Identifier: MIT
// The signer: loads, confines itself, signs.
#include "signer/signer.hpp"

#include "base/log.hpp"
#include "base/title.hpp"
#include "ipc/admission.hpp"
#include "jail/capabilities.hpp"
#include "jail/limits.hpp"
#include "jail/namespaces.hpp"
#include "jail/plan.hpp"
#include "jail/root.hpp"
#include "signer/system_calls.hpp"
#include "tls/context.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <pwd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace signer {

using base::Error;
using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr int failure = 2;

constexpr std::uint64_t most_descriptors = 16;

// The end of the channel is what ends a signer.
constexpr int ignored_signals[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// ----- before the door closes

// Everything that can be wrong with TLS is found here, before there is a client.
Result<Keys> load(const config::Configuration& configuration, const Sources& sources,
                  std::vector<std::string>& warnings) {
    TRY(const auto settings, tls::settings_of(configuration));
    TRY(auto keys, Keys::load(sources, warnings));
    auto certificates = std::make_shared<const tls::Certificates>(keys.certificates());
    TRY(const auto tried, tls::Context::create(settings, certificates, tls::Purpose::control));
    if (!tried.warning().empty()) warnings.push_back(tried.warning());
    return keys;
}

Sources sources_for(const config::Configuration& configuration) {
    auto sources = sources_of(configuration.options);
    sources.directory = configuration.native.certificates;
    return sources;
}

// OpenSSL finds its algorithms, and the generator its seed, before the filter closes.
Result<void> sign_once(const Keys& keys) {
    for (const auto& certificate : keys.certificates()) {
        for (const auto& each : tls::all_schemes()) {
            const tls::CertificateVerify nothing{tls::Bytes(32)};
            const auto made = keys.sign({certificate.key, each.scheme, nothing});
            if (!made && made.error().number != EINVAL)
                return Error{"SSL: the key for " + certificate.file +
                             " cannot sign: " + made.error().what};
            if (made) break;
        }
        if (certificate.by_name_only) break;  // one of them stands for thousands
    }
    return base::success();
}

// Best effort: a container may forbid it, and then the administrator's swap may hold keys.
Result<void> lock_memory() {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    // Without the limit gone, locking what comes later would make the next allocation fail.
    const bool unlimited = ::setrlimit(RLIMIT_MEMLOCK, &all) == 0;
    (void)::mlockall(unlimited ? MCL_CURRENT | MCL_FUTURE : MCL_CURRENT);
    return base::success();
}

Result<void> empty_root(const std::string& fallback) {
    TRY(jail::enter_empty_root(fallback));
    return base::success();
}

Result<void> ignore_signals() {
    for (const int each : ignored_signals) (void)std::signal(each, SIG_IGN);
    return base::success();
}

Result<void> own_keyring() {
    jail::join_own_keyring();
    return base::success();
}

jail::Plan for_keys(const jail::Identity& nobody, const std::string& root,
                    const std::vector<int>& descriptors, jail::Maker maker) {
    using namespace jail;
    // clang-format off
    return plan_of(maker, {
        // by whom        step
        {always,        {"own session", [] { return own_session(); }}},
        {always,        {"signals", [] { return ignore_signals(); }}},
        {always,        {"keyring", [] { return own_keyring(); }}},
        {always,        {"descriptors", [=] { return keep_only(descriptors); }}},
        {always,        {"locked memory", [] { return lock_memory(); }}},  // needs CAP_IPC_LOCK
        {in_namespace,  {"user namespace", [] { return enter_user_namespace(); }}},
        {with_rights,   {"empty root", [=] { return empty_root(root); }}},
        {always,        {"no core dumps", [] { return limit(RLIMIT_CORE, 0); }}},
        {always,        {"few descriptors", [] { return limit(RLIMIT_NOFILE, most_descriptors); }}},
        {always,        {"no files", [] { return limit(RLIMIT_FSIZE, 0); }}},
        {always,        {"no processes", [] { return limit(RLIMIT_NPROC, 0); }}},
        // Before the uid: it needs CAP_SETPCAP.
        {with_rights,   {"empty bounding set", [] { return empty_bounding_set(); }}},
        {by_root,       {"groups, gid, uid", [=] { return become(nobody); }}},
        {without_root,  {"uid and gid as at start", [=] { return remain(nobody); }}},
        {always,        {"no capabilities", [] { return drop_capabilities(); }}},
        {always,        {"no new privileges", [] { return forbid_new_privileges(); }}},
        // After the uid: the kernel would undo it with that.
        {always,        {"not dumpable", [] { return forbid_dumping(); }}},
        // Last: it forbids all of the above.
        {always,        {"system call filter", [] { return allow_signing_only(); }}},
    });
    // clang-format on
}

// Without root there is one uid for all.
Result<jail::Identity> nobody(const config::Options& options) {
    if (::geteuid() != 0) return jail::own_identity();
    errno = 0;
    const auto* entry = ::getpwnam(options.nopriv_user.c_str());
    if (entry == nullptr) return Error{"cannot locate user entry:" + options.nopriv_user, errno};
    return jail::Identity{entry->pw_uid, entry->pw_gid, {}};
}

// ----- requests

ipc::SignedFor answer(const Keys& keys, const ipc::SignFor& request) {
    ipc::SignedFor answer{};
    answer.id = request.id;
    const auto what = tls::from_message(request.what);
    const auto made = what ? keys.sign(what.value()) : Result<tls::Bytes>{what.error()};
    if (!made) {
        answer.number = made.error().number;
        return answer;
    }
    answer.signature.assign(
        {reinterpret_cast<const char*>(made.value().data()), made.value().size()});
    return answer;
}

// What is in a request is a client's word at worst and gets an errno; but another kind of message,
// or a descriptor, was never sent by our supervisor.
int serve(ipc::Channel& channel, const Keys& keys) {
    for (;;) {
        const auto message = channel.wait();
        if (!message) return message.error().number == ECONNRESET ? 0 : failure;
        if (message.value().type() == ipc::Type::stop) return 0;
        const auto* request = message.value().as<ipc::SignFor>();
        if (request == nullptr || !message.value().descriptors.empty()) return failure;
        if (!channel.send_waiting(answer(keys, *request))) return 0;
    }
}

int fail(ipc::Channel& channel, const Error& error) {
    ipc::SignerReady message{};
    message.error.assign(error.text());
    (void)channel.send_waiting(message);
    return failure;
}

}  // namespace

int run(ipc::Channel channel, const config::Configuration& configuration, const Sources& sources) {
    const auto& options = configuration.options;
    base::title::set("jailftpd: [signer]");
    auto user = nobody(options);
    if (!user) return fail(channel, user.error());
    std::vector<std::string> warnings;
    auto keys = load(configuration, sources, warnings);
    for (const auto& each : warnings) base::log::warning(each);
    if (!keys) return fail(channel, keys.error());
    if (auto tried = sign_once(keys.value()); !tried) return fail(channel, tried.error());
    auto certificates = ipc::sealed(ipc::serialise(keys.value().certificates()), "certificates");
    if (!certificates) return fail(channel, certificates.error());

    const std::vector<int> kept{channel.fd(), certificates.value().get()};
    const auto maker = jail::maker(configuration.native.users);
    const auto confined =
        jail::carry_out(for_keys(user.value(), options.secure_chroot_dir, kept, maker));
    if (!confined) return fail(channel, Error{"signer: " + confined.error().text()});

    const std::array descriptors{certificates.value().get()};
    if (!channel.send_waiting(ipc::SignerReady{}, descriptors)) return failure;
    certificates.value().close();
    return serve(channel, keys.value());
}

int run(ipc::Channel channel, const config::Configuration& configuration) {
    return run(std::move(channel), configuration, sources_for(configuration));
}

Result<std::vector<std::string>> try_out(const config::Configuration& configuration) {
    std::vector<std::string> warnings;
    TRY(const auto keys, load(configuration, sources_for(configuration), warnings));
    TRY(sign_once(keys));
    return warnings;
}

Blame blame(const config::Options& options, std::string_view error) {
    constexpr std::string_view certificate =
        "a PEM file with the certificate, and then those that lead to its issuer's root";
    constexpr std::string_view key = "the certificate's key as PEM, without a passphrase";
    // clang-format off
    constexpr struct {
        std::string_view error;
        Blame blame;
    } table[] = {
        {"SSL: cannot load RSA certificate",    {"rsa_cert_file", certificate}},
        {"SSL: cannot load RSA private key",    {"rsa_private_key_file", key}},
        {"SSL: cannot load DSA certificate",    {"dsa_cert_file", certificate}},
        {"SSL: cannot load DSA private key",    {"dsa_private_key_file", key}},
        {"SSL: there is no certificate",        {"rsa_cert_file", certificate}},
        {"SSL: could not set cipher list",      {"ssl_ciphers", "a list that \"openssl ciphers\" knows, such as HIGH"}},
        {"SSL: could not load verify file",     {"ca_certs_file", "a PEM file with certificates"}},
        {"SSL: could not set TLS 1.3 cipher suites", {"ciphersuites", "names such as TLS_AES_256_GCM_SHA384, colons between them", "tls"}},
    };
    // clang-format on
    for (const auto& each : table) {
        if (!error.starts_with(each.error)) continue;
        // Without a file of its own the key is in the certificate's.
        if (each.blame.option == "rsa_private_key_file" && options.rsa_private_key_file.empty())
            return {"rsa_cert_file", key};
        if (each.blame.option == "dsa_private_key_file" && options.dsa_private_key_file.empty())
            return {"dsa_cert_file", key};
        return each.blame;
    }
    return {"ssl_enable", {}};
}

}  // namespace signer
