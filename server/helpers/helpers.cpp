// SPDX-License-Identifier: MIT
// A helper: looks things up, one at a time; runs as root with the right to look as somebody else.
#include "helpers/helpers.hpp"

#include "base/log.hpp"
#include "base/title.hpp"
#include "config/name_list.hpp"
#include "helpers/admission.hpp"
#include "helpers/lookups.hpp"
#include "helpers/wrappers.hpp"
#include "jail/capabilities.hpp"
#include "jail/limits.hpp"
#include "jail/namespaces.hpp"
#include "jail/plan.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <sys/capability.h>
#include <sys/resource.h>

namespace helpers {

using base::Fd;
using base::Result;

namespace {

// Acting as the user for a moment (setfsuid, setgroups), and reading what the administrator has put
// where root alone gets by this very right. Nothing is ever written, but for the owner and mode of
// uploads (CAP_CHOWN, CAP_FOWNER) when chown_uploads could be wanted.
Result<void> confine(const config::Configuration& configuration) {
    std::vector<int> kept{CAP_SETUID, CAP_SETGID, CAP_DAC_READ_SEARCH};
    const auto& options = configuration.options;
    if (options.chown_uploads || !options.user_config_dir.empty() || options.tcp_wrappers)
        kept.insert(kept.end(), {CAP_CHOWN, CAP_FOWNER});
    // Mounts of homes for their jails.
    if (options.isolate && configuration.native.mounts) kept.push_back(CAP_SYS_ADMIN);
    TRY(jail::limit(RLIMIT_CORE, 0));
    if (jail::maker(configuration.native.users) == jail::Maker::user_in_namespace) {
        TRY(jail::enter_user_namespace());
    }
    TRY(jail::keep_capabilities(kept));
    TRY(jail::forbid_new_privileges());
    return jail::forbid_dumping();
}

// ----- anonymous logins

std::string shown(const ipc::Login& login) {
    if (login.has_password == 0) return "<no_password>";
    std::string text(login.password.view());
    if (text.empty()) return "?";
    std::replace(text.begin(), text.end(), ' ', '_');
    return text;
}

// Nothing when the e-mail address given as password is welcome.
OrRefusal<void> check_lists(const config::Options& options, std::string_view password) {
    const auto wrong = [](std::string reason) { return Refusal{{}, std::move(reason), true}; };
    if (options.deny_email_enable) {
        const auto banned = config::NameList::read(options.banned_email_file);
        if (!banned)
            return Refusal{"cannot read anon e-mail list file:" + options.banned_email_file,
                           banned.error().text()};
        if (banned.value().contains(password))
            return wrong("the e-mail address is in " + options.banned_email_file);
    }
    if (options.secure_email_list_enable) {
        const auto allowed = config::NameList::read(options.email_password_file);
        if (!allowed)
            return Refusal{"cannot read email passwords file:" + options.email_password_file,
                           allowed.error().text()};
        if (!allowed.value().contains(password))
            return wrong("the password is not in " + options.email_password_file);
    }
    return base::success();
}

OrRefusal<Admitted> admit_anonymous(const config::Configuration& configuration,
                                    const ipc::Login& login, const Account& account) {
    const auto& options = configuration.options;
    if (!options.anonymous_enable) return Refusal{{}, "anonymous_enable=NO", true};
    if (login.has_password == 0 && !options.no_anon_password)
        return Refusal{{}, "no password was given (no_anon_password=NO)", true};
    const auto password = login.has_password != 0 ? login.password.view() : "<no password>";
    BOOST_OUTCOME_TRY(check_lists(options, password));
    return admit(configuration, account);
}

// ----- requests

// False: the supervisor asks for something that we do not know.
bool answer(ipc::Channel& channel, const config::Configuration& configuration,
            const ipc::Message& message) {
    switch (message.type()) {
        case ipc::Type::login: {
            const auto* login = message.as<ipc::Login>();
            if (login == nullptr || !login->user.valid() || !login->password.valid() ||
                !login->overrides.valid() || login->account != ipc::Account::anonymous)
                return false;
            std::vector<Fd> descriptors;
            const auto result = anonymous_login(configuration, *login, descriptors);
            std::vector<int> numbers;
            for (const auto& each : descriptors) numbers.push_back(each.get());
            return static_cast<bool>(channel.send_waiting(result, numbers));
        }
        case ipc::Type::name_of: {
            const auto* question = message.as<ipc::NameOf>();
            return question != nullptr &&
                   static_cast<bool>(channel.send_waiting(name_of(*question)));
        }
        case ipc::Type::home_of: {
            const auto* question = message.as<ipc::HomeOf>();
            return question != nullptr && question->user.valid() &&
                   static_cast<bool>(channel.send_waiting(home_of(*question)));
        }
        case ipc::Type::stamp: {
            const auto* question = message.as<ipc::Stamp>();
            return question != nullptr &&
                   static_cast<bool>(channel.send_waiting(stamp(*question, configuration)));
        }
        case ipc::Type::resolve: {
            const auto* question = message.as<ipc::Resolve>();
            return question != nullptr && question->name.valid() &&
                   static_cast<bool>(channel.send_waiting(resolve(*question)));
        }
        case ipc::Type::wrap: {
            const auto* question = message.as<ipc::Wrap>();
            return question != nullptr && message.descriptors.size() == 1 &&
                   static_cast<bool>(channel.send_waiting(
                       wrap(configuration, *question, message.descriptors.front(), channel)));
        }
        case ipc::Type::change_owner: {
            const auto* question = message.as<ipc::ChangeOwner>();
            return question != nullptr && message.descriptors.size() == 1 &&
                   static_cast<bool>(
                       channel.send_waiting(change_owner(*question, message.descriptors.front())));
        }
        default:
            return false;
    }
}

}  // namespace

ipc::LoginAnswer anonymous_login(const config::Configuration& configuration,
                                 const ipc::Login& login, std::vector<Fd>& descriptors) {
    Account account;
    account.kind = Account::Kind::anonymous;
    // Without the tenants, of whom it is none.
    config::Configuration own;
    own.options = configuration.options;
    own.native = configuration.native;
    own.groups = configuration.groups;
    if (const auto overrides = login.overrides.view(); !overrides.empty()) {
        auto changed = config::for_connection(own, overrides);
        if (!changed)
            return to_answer(login, account, Refusal{changed.error().what, {}}, descriptors);
        own = std::move(changed.value());
    }
    account.name = own.options.ftp_username;
    account.password_shown = shown(login);
    auto result = admit_anonymous(own, login, account);
    if (result) {
        for (const auto& warning : result.value().warnings) base::log::warning(warning);
    }
    return to_answer(login, account, std::move(result), descriptors);
}

int run(ipc::Channel channel, const config::Configuration& configuration) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    base::title::set("jailftpd: helper");
    remember_users_for(std::chrono::seconds(1));
    if (configuration.options.tcp_wrappers) {
        if (const auto loaded = load_wrappers(); !loaded)
            base::log::error("tcp_wrappers: " + loaded.error().text());
    }
    if (const auto confined = confine(configuration); !confined) {
        base::log::error("a helper cannot give up rights: " + confined.error().text());
        return 2;
    }
    for (;;) {
        const auto message = channel.wait();
        if (!message) return message.error().number == ECONNRESET ? 0 : 2;
        if (message.value().type() == ipc::Type::stop) return 0;
        if (!answer(channel, configuration, message.value())) return 2;
    }
}

}  // namespace helpers
