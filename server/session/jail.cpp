// SPDX-License-Identifier: MIT
// From an admission to the jail that it means; runs in the session before it is jailed.
#include "session/jail.hpp"

#include "ipc/denied_call.hpp"
#include "jail/landlock.hpp"

#include <cerrno>
#include <memory>
#include <utility>

#include <unistd.h>

namespace session {
namespace {

// The same for all sessions of a spawner.
struct Prepared {
    config::Native native;
    bool in_spawner = false;
    jail::SystemCallFilters filters;
};

Prepared& prepared() {
    static Prepared instance;
    return instance;
}

constexpr int channel_number = STDERR_FILENO + 1;  // spawner::Children

void report_denied_call(const char* call, bool for_its_arguments) {
    ipc::report_denied_call(channel_number, call, for_its_arguments);
}

// What the options leave of the rights to files: the session's own checks say the same.
jail::FileRights file_rights(const config::Options& on, bool anonymous) {
    jail::FileRights rights;
    if (!on.write_enable) return rights;
    const bool others = !anonymous || on.anon_other_write_enable;
    rights.upload = others || on.anon_upload_enable;
    rights.make_folders = !anonymous || on.anon_mkdir_write_enable;
    rights.remove_folders = others;
    rights.rename = others;
    rights.remove_files = rights.upload;  // of uploads that failed
    rights.change_modes = !anonymous && on.chmod_enable;
    rights.set_times = others && on.mdtm_write;
    rights.sync = rights.any() && prepared().native.sync_uploads;
    return rights;
}

base::Result<jail::Walls> walls_of(const jail::Home& home, bool with_tls) {
    const auto& native = prepared().native;
    const bool by_kernel = with_tls && native.kernel_tls;
    const auto& rights = home.rights;
    jail::Walls walls;
    // Where nothing else keeps it in its root, files rather stay in their folders.
    walls.landlock = native.landlock && (home.maker == jail::Maker::user ||
                                         jail::landlock_suits(rights, jail::landlock_version()));
    walls.denied = report_denied_call;
    if (native.system_calls) {
        TRY(walls.system_calls,
            prepared().filters.get({true, rights, with_tls, by_kernel, prepared().in_spawner}));
    }
    return walls;
}

}  // namespace

base::Result<void> prepare_jails(const config::Configuration& configuration, bool in_spawner) {
    const auto& native = configuration.native;
    prepared().native = native;
    prepared().in_spawner = in_spawner;
    if (!native.system_calls) return base::success();
    jail::prepare_call_names();
    for (const bool anonymous : {false, true}) {
        const auto rights = file_rights(configuration.options, anonymous);
        TRY(prepared().filters.prepare({true, rights, false, false, in_spawner}));
        if (!configuration.options.ssl_enable) continue;
        TRY(prepared().filters.prepare({true, rights, true, native.kernel_tls, in_spawner}));
    }
    return base::success();
}

base::Result<Entry> read_entry(const base::Fd& memory, const config::Options& server) {
    TRY(const auto bytes, ipc::read_sealed(memory));
    Entry entry;
    TRY(entry.admission, ipc::parse_admission(bytes));
    entry.options = server;
    TRY(config::apply_overrides(entry.options, entry.admission.overrides));
    return entry;
}

base::Result<jail::Home> jail_of(const Entry& entry, bool with_tls, std::vector<base::Fd> folders,
                                 std::vector<int> descriptors) {
    const auto& [options, admission] = entry;
    if (folders.size() != 1 + admission.binds.size())
        return base::Error{"an admission whose folders are missing", EPROTO};
    jail::Home home;
    home.root = std::make_shared<base::Fd>(std::move(folders.front()));
    home.root_is_mount = admission.root_is_mount;
    home.root_read_only = admission.root_read_only;
    for (std::size_t i = 0; i < admission.binds.size(); ++i) {
        const auto& bind = admission.binds[i];
        home.binds.push_back(
            {std::make_shared<base::Fd>(std::move(folders[1 + i])), bind.target, bind.writable});
    }
    home.path_on_host = admission.root;
    home.rights = file_rights(options, admission.anonymous_rights);
    home.jailed = admission.jailed;
    home.user = {admission.uid, admission.gid, admission.groups};
    home.umask = (admission.anonymous_rights ? options.anon_umask : options.local_umask) & 0777;
    home.umask |= admission.umask;
    for (const auto& each : admission.limits)
        home.limits.push_back({each.resource, each.soft, each.hard});
    home.address_space = options.address_space_limit;
    home.start = admission.start;
    home.start_may_fail = admission.start_may_fail;
    home.refuse_writable_root = !admission.writable_root_allowed;
    home.descriptors = std::move(descriptors);
    home.maker = jail::maker(prepared().native.users);
    TRY(home.walls, walls_of(home, with_tls));
    return home;
}

}  // namespace session
