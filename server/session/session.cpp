// SPDX-License-Identifier: MIT
// From a blank process to a user's session and its command loop; runs in the session.
#include "session/session.hpp"

#include "base/text.hpp"
#include "base/title.hpp"
#include "control/address.hpp"
#include "ftp/path.hpp"
#include "jail/plans.hpp"
#include "session/command_table.hpp"

#include <chrono>
#include <ctime>
#include <memory>
#include <utility>

#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

namespace session {
namespace {

namespace reply = ftp::reply;
using control::Came;

constexpr std::size_t largest_message = 4000;       // bytes of message_file, as vsftpd
constexpr std::size_t most_folders_remembered = 100;  // with a message shown, as vsftpd

jail::Home home_of(const ipc::Admission& admission, const config::Options& options, base::Fd root,
                   std::vector<int> descriptors) {
    jail::Home home;
    home.root = std::make_shared<base::Fd>(std::move(root));
    home.jailed = admission.jailed;
    home.user = {admission.uid, admission.gid, admission.groups};
    home.umask = (admission.anonymous_rights ? options.anon_umask : options.local_umask) & 0777;
    home.address_space = options.address_space_limit;
    home.start = admission.start;
    home.start_may_fail = admission.start_may_fail;
    home.refuse_writable_root = !admission.writable_root_allowed;
    home.descriptors = std::move(descriptors);
    return home;
}

// What the client reads when its jail cannot be entered; vsftpd's words where it has them.
ftp::Reply why_not(const base::Error& error) {
    if (error.what == jail::writable_root_step)
        return reply::oops("vsftpd: refusing to run with writable root inside chroot()");
    return reply::oops(error.text());
}

void send_warning(ipc::Channel& channel, std::string_view text) {
    ipc::Record record{};
    record.event = ipc::Event::warning;
    record.path.assign(text);
    (void)channel.send_waiting(record);
}

// A login that ends here: the supervisor is told why, and the client.
int give_up(ipc::Channel& channel, control::Connection& client, const base::Error& error) {
    ipc::Entered entered{};
    entered.number = error.number;
    entered.step.assign(error.what.empty() ? "session" : error.what);
    (void)channel.send_waiting(entered);
    client.reply(why_not(error));
    client.close();
    return 1;
}

struct Entry {
    config::Options options;
    ipc::Admission admission;
};

base::Result<Entry> read_entry(const base::Fd& memory, const config::Options& options) {
    TRY(const auto bytes, ipc::read_sealed(memory));
    Entry entry;
    TRY(entry.admission, ipc::parse_admission(bytes));
    entry.options = options;
    TRY(config::apply_overrides(entry.options, entry.admission.overrides));
    return entry;
}

}  // namespace

void prepare() {
    // Loaded now: in a jail there is no time zone and no module.
    ::tzset();
    for (const auto* digest : {EVP_sha256(), EVP_sha1(), EVP_md5()}) {
        unsigned char result[EVP_MAX_MD_SIZE];
        (void)EVP_Digest("", 0, result, nullptr, digest, nullptr);
    }
}

}  // namespace session
