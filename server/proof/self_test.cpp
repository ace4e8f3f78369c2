// SPDX-License-Identifier: MIT
// jailftpd --self-test; runs as root or as the launching user, in no process of the server.
#include "proof/self_test.hpp"

#include "base/text.hpp"
#include "jail/landlock.hpp"
#include "jail/namespaces.hpp"
#include "jail/plan.hpp"
#include "proof/account.hpp"
#include "proof/cells.hpp"
#include "session/jail.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <unistd.h>

namespace proof {

using base::Error;
using base::Result;

namespace {

constexpr std::size_t column = 52;
constexpr const char* fails_anyway = "fails anyway";
constexpr const char* by_identity = "identity alone";
constexpr const char* beneath = "resolved beneath";  // the session's own care, without any layer

volatile std::sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

// Signals wait until all is taken away again.
class Patience {
  public:
    Patience() {
        for (std::size_t i = 0; i < std::size(numbers); ++i)
            before_[i] = std::signal(numbers[i], interrupt);
    }
    ~Patience() {
        for (std::size_t i = 0; i < std::size(numbers); ++i)
            (void)std::signal(numbers[i], before_[i]);
    }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

  private:
    static constexpr int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    void (*before_[std::size(numbers)])(int){};
};

struct Subjects {
    std::optional<Subject> who;  // none: a greeter
    helpers::Admitted admitted;
    jail::FileRights rights{};
    bool landlock = false;
};

Result<Subjects> look_at(const config::Configuration& configuration, std::string_view name) {
    Subjects result;
    result.landlock = configuration.native.landlock && jail::landlock_version() > 0;
    if (name.empty()) return result;
    TRY(result.who, subject(configuration, name));
    // As a plain folder, in which the stage is put up.
    auto plain = configuration;
    plain.native.mounts = false;
    TRY(result.admitted, let_in(plain, result.who->account));
    TRY(session::prepare_jails(configuration));
    session::Entry entry{configuration.options, result.admitted.admission};
    TRY(config::apply_overrides(entry.options, entry.admission.overrides));
    TRY(const auto home,
        session::jail_of(entry, configuration.options.ssl_enable, std::vector<base::Fd>(1), {}));
    result.rights = home.rights;
    result.landlock = home.walls.landlock;
    return result;
}

constexpr Layer all_layers[] = {Layer::root, Layer::namespaces, Layer::network, Layer::landlock,
                                Layer::system_calls};

const char* name_of(Layer layer, const config::Native& native) {
    switch (layer) {
        case Layer::root:
            return native.mounts ? "mounts" : "chroot";
        case Layer::namespaces:
            return "namespaces";
        case Layer::network:
            return "network";
        case Layer::landlock:
            return "landlock";
        case Layer::system_calls:
            break;
    }
    return "system calls";
}

// A greeter's empty root is the spawner's work and cannot be left out. Without root and user
// namespaces there is none, and a session's is no layer either: it is where it starts.
Layers layers_in_force(const config::Configuration& configuration, const Subjects& subjects) {
    const auto& native = configuration.native;
    const bool session = subjects.who.has_value();
    const bool has_root = jail::maker(native.users) != jail::Maker::user;
    const std::pair<Layer, bool> all[] = {
        {Layer::root, session && has_root && subjects.admitted.admission.jailed},
        {Layer::namespaces, native.pid || native.ipc || native.uts},
        {Layer::network, native.network},
        {Layer::landlock, subjects.landlock},
        {Layer::system_calls, native.system_calls},
    };
    Layers layers;
    for (const auto& [layer, on] : all) {
        if (on) layers.push_back(layer);
    }
    return layers;
}

std::string join(std::string all, const std::string& next) {
    return all.empty() ? next : std::move(all) + ", " + next;
}

// By the attack's name.
using Results = std::map<std::string_view, Tried>;

Result<Results> attempt_all(Cells& cells, const Scene& scene) {
    Results results;
    for (const auto& chapter : chapters()) {
        for (const auto& attack : chapter.attacks) {
            if (attack.applies != nullptr && !attack.applies(scene)) continue;
            if (interrupted != 0) return Error{"interrupted", EINTR};
            auto tried = cells.attempt(attack);
            if (!tried)
                return Error{std::string("\"") + attack.name + "\": " + tried.error().text(),
                             tried.error().number};
            results[attack.name] = std::move(tried.value());
        }
    }
    return results;
}

// What came of all attacks, with which layers.
struct Trials {
    Layers layers;
    Results with_all;
    Results with_none;
    std::map<Layer, Results> with_only;
    std::map<Layer, Results> without;
};

struct Verdict {
    bool through = false;
    bool one_wall = false;  // without one of the layers it gets out
    std::vector<Layer> by;  // each of them holds it alone
    bool anyway = false;    // and so does none
};

Verdict verdict(std::string_view attack, const Trials& trials) {
    Verdict result;
    result.through = trials.with_all.at(attack).through;
    const auto& bare = trials.with_none.at(attack);
    result.anyway = !bare.through;
    for (const auto layer : trials.layers) {
        const auto& alone = trials.with_only.at(layer).at(attack);
        // What fails anyway fails in another way where a layer is in front of that.
        const bool otherwise = alone.how != bare.how || alone.by_filter;
        if (!alone.through && (bare.through || otherwise)) result.by.push_back(layer);
        if (!trials.without.at(layer).at(attack).through) continue;
        result.one_wall = true;
        result.by = {layer};
        result.anyway = false;
        break;
    }
    return result;
}

struct Count {
    int attacks = 0;
    int through = 0;
    int one_wall = 0;
};

// bare: who holds what no layer does.
std::string row(Group group, const Attack& attack, const Trials& trials,
                const config::Native& native, const char* bare, Count& count) {
    const auto found = verdict(attack.name, trials);
    ++count.attacks;
    count.through += found.through;
    count.one_wall += found.one_wall;
    std::string text = "  " + std::string(attack.name);
    text.resize(std::max(text.size(), column), ' ');
    if (found.through) return text + "  GOT OUT\n";
    std::string names;
    for (const auto layer : found.by) names = join(std::move(names), name_of(layer, native));
    if (found.anyway) names = join(std::move(names), group == Group::beneath ? beneath : bare);
    if (names.empty()) names = "no layer alone";
    return text + "  held     " + names + (found.one_wall ? " (one wall)\n" : "\n");
}

std::string heading(const config::Configuration& configuration, const Subjects& subjects,
                    const Layers& layers, std::string_view name) {
    std::string text;
    if (subjects.who)
        text = "The jail of " + base::escaped(name) + ", who is " + subjects.who->kind + ", in " +
               base::escaped(subjects.admitted.admission.root) + "\n";
    else
        text = "The jail of a client that has not logged in\n";
    std::string names;
    std::string missing;
    for (const auto layer : all_layers) {
        auto& list = contains(layers, layer) ? names : missing;
        list = join(std::move(list), name_of(layer, configuration.native));
    }
    if (!configuration.native.mounts && contains(layers, Layer::root))
        missing = join(std::move(missing), "mounts");
    text += "Layers: " + names + '\n';
    const bool empty_root =
        !subjects.who && jail::maker(configuration.native.users) != jail::Maker::user;
    text += std::string("Besides, and never left out: identity") +
            (empty_root ? ", an empty root\n" : "\n");
    if (subjects.who && !missing.empty()) text += "Not in force: " + missing + '\n';
    if (subjects.who && !subjects.admitted.admission.jailed)
        text +=
            "This user is not jailed (chroot_local_user, chroot_list_file): the host's files "
            "are within reach.\n";
    text +=
        "Behind each attack stand the layers that hold it alone. One wall: without that layer it "
        "gets out.\n";
    text += subjects.who ? "Identity alone" : "Fails anyway";
    return text +
           ": it does not get out without any of them either, for lack of rights, or of what it "
           "is after.\n";
}

}  // namespace

Result<Report> self_test(const config::Configuration& configuration, std::string_view name) {
    const Patience patience;
    // As a server's processes do that open homes, to mount them. What is attacked stays outside.
    if (jail::maker(configuration.native.users) == jail::Maker::user_in_namespace) {
        TRY(jail::enter_user_namespace());
    }
    TRY(auto subjects, look_at(configuration, name));
    const auto& admission = subjects.admitted.admission;
    TRY(const auto stage,
        Stage::put_up(subjects.who ? &admission : nullptr, subjects.admitted.root));
    stage->scene.rights = subjects.rights;
    const auto* account = subjects.who ? &subjects.who->account : nullptr;
    const auto layers = layers_in_force(configuration, subjects);
    const auto attempt = [&](const Layers& set) -> Result<Results> {
        TRY(auto cells, Cells::start(configuration, account, set, *stage));
        return attempt_all(*cells, stage->scene);
    };
    Trials trials;
    trials.layers = layers;
    TRY(trials.with_all, attempt(layers));
    TRY(trials.with_none, attempt({}));
    for (const auto layer : layers) {
        auto others = layers;
        std::erase(others, layer);
        TRY(trials.with_only[layer], attempt({layer}));
        TRY(trials.without[layer], attempt(others));
    }

    Report report;
    report.text = heading(configuration, subjects, layers, name);
    Count count;
    for (const auto& chapter : chapters()) {
        std::string rows;
        for (const auto& attack : chapter.attacks) {
            if (trials.with_all.contains(attack.name))
                rows += row(chapter.group, attack, trials, configuration.native,
                            subjects.who ? by_identity : fails_anyway, count);
        }
        if (!rows.empty()) report.text += '\n' + std::string(chapter.title) + '\n' + rows;
    }
    report.held = count.through == 0;
    report.text += '\n' + std::to_string(count.attacks) + " attacks, " +
                   std::to_string(count.through) + " got out, " + std::to_string(count.one_wall) +
                   " stopped by one wall only\n";
    return report;
}

}  // namespace proof
