// SPDX-License-Identifier: MIT
// The jail of a process that lives, read from /proc; runs in who looks at it from outside.
#include "jail/live_state.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jail {

using base::Fd;
using base::Result;
using base::split;
using base::trim;

namespace {

constexpr std::size_t most_bytes =
    256 * 1024;  // of one file: a host's mounts, if there are so many

// ----- JSON

// base::escaped() leaves nothing that JSON minds but quotes and backslashes.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char each : base::escaped(text)) {
        if (each == '"' || each == '\\') result += '\\';
        result += each;
    }
    return result + '"';
}

class Object {
  public:
    // value: JSON already.
    void add(std::string_view name, const std::string& value) {
        text_ += (text_.size() > 1 ? "," : "") + quoted(name) + ':' + value;
    }
    [[nodiscard]] std::string text() const { return text_ + '}'; }

  private:
    std::string text_ = "{";
};

std::string list_of(const std::vector<std::string>& values) {
    std::string text = "[";
    for (const auto& each : values) text += (text.size() > 1 ? "," : "") + each;
    return text + ']';
}

// ----- /proc

// Of one process, whoever gets its number next.
class Folder {
  public:
    explicit Folder(Fd folder) : folder_(std::move(folder)) {}

    [[nodiscard]] std::string read(const char* name) const {
        const Fd file{::openat(folder_.get(), name, O_RDONLY | O_CLOEXEC)};
        std::string all;
        char buffer[4096];
        while (file && all.size() < most_bytes) {
            const auto length = ::read(file.get(), buffer, sizeof buffer);
            if (length <= 0) break;
            all.append(buffer, static_cast<std::size_t>(length));
        }
        return all;
    }

    // As JSON.
    [[nodiscard]] std::string link(const std::string& name) const {
        char target[PATH_MAX];
        const auto length = ::readlinkat(folder_.get(), name.c_str(), target, sizeof target);
        if (length < 0) return "null";
        return quoted({target, static_cast<std::size_t>(length)});
    }

    [[nodiscard]] std::string links_in(const char* name) const {
        Object object;
        std::vector<std::string> names;
        Fd folder{::openat(folder_.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(folder.get()), ::closedir};
        if (!stream) return "null";
        (void)folder.release();  // the stream's now
        while (const auto* entry = ::readdir(stream.get())) {
            if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
        }
        std::sort(names.begin(), names.end(), [](const auto& one, const auto& other) {
            return one.size() != other.size() ? one.size() < other.size() : one < other;
        });
        for (const auto& each : names) object.add(each, link(name + ('/' + each)));
        return object.text();
    }

    // Files of a process that is not dumpable are root's; of root's own this does not tell.
    [[nodiscard]] const char* dumpable() const {
        struct stat status {};
        if (::fstatat(folder_.get(), "status", &status, 0) < 0) return "null";
        return status.st_uid == 0 ? "false" : "true";
    }

  private:
    Fd folder_;
};

struct Field {
    std::string_view name;  // in /proc/PID/status
    const char* shown;
    enum { number, numbers, text } kind;
};

// clang-format off
constexpr Field fields[] = {
    {"Uid",             "uid",             Field::numbers},  // real, effective, saved, of files
    {"Gid",             "gid",             Field::numbers},
    {"Groups",          "groups",          Field::numbers},
    {"Umask",           "umask",           Field::text},
    {"Threads",         "threads",         Field::number},
    {"CapInh",          "cap_inheritable", Field::text},
    {"CapPrm",          "cap_permitted",   Field::text},
    {"CapEff",          "cap_effective",   Field::text},
    {"CapBnd",          "cap_bounding",    Field::text},
    {"CapAmb",          "cap_ambient",     Field::text},
    {"NoNewPrivs",      "no_new_privs",    Field::number},
    {"Seccomp",         "seccomp",         Field::number},   // 2: filters
    {"Seccomp_filters", "seccomp_filters", Field::number},
    {"NSpid",           "pids",            Field::numbers},  // in each pid namespace
};
// clang-format on

std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> result;
    std::string blanks(line);
    std::replace(blanks.begin(), blanks.end(), '\t', ' ');
    for (const auto word : split(blanks, ' ')) {
        if (!word.empty()) result.emplace_back(word);
    }
    return result;
}

void add_status(Object& object, const std::string& status) {
    for (const auto line : split(status, '\n')) {
        const auto name = line.substr(0, line.find(':'));
        const auto found = std::find_if(std::begin(fields), std::end(fields),
                                        [name](const Field& each) { return each.name == name; });
        if (found == std::end(fields) || name.size() == line.size()) continue;
        const auto value = trim(line.substr(name.size() + 1));
        object.add(found->shown, found->kind == Field::numbers  ? list_of(words(value))
                                 : found->kind == Field::number ? std::string(value)
                                                                : quoted(value));
    }
}

// "36 35 98:0 /in/it /mnt rw,noatime shared:1 - ext3 /dev/root rw"
std::string mounts(const std::string& mountinfo) {
    std::vector<std::string> all;
    for (const auto line : split(mountinfo, '\n')) {
        const auto parts = words(line);
        const auto dash = std::find(parts.begin(), parts.end(), "-");
        if (parts.size() < 6 || parts.end() - dash < 3) continue;
        Object mount;
        mount.add("at", quoted(parts[4]));
        mount.add("of", quoted(parts[3]));
        mount.add("flags", quoted(parts[5]));
        mount.add("type", quoted(dash[1]));
        all.push_back(mount.text());
    }
    return list_of(all);
}

// "Max open files            64                   64                   files"
std::string limits(const std::string& table) {
    constexpr std::size_t name = 26;
    Object object;
    for (const auto line : split(table, '\n')) {
        if (!line.starts_with("Max ") || line.size() <= name) continue;
        const auto values = words(line.substr(name));
        if (values.size() < 2) continue;
        object.add(trim(line.substr(4, name - 4)), list_of({quoted(values[0]), quoted(values[1])}));
    }
    return object.text();
}

// After the name in brackets, which the process chose: state, parent, group, session.
std::string session(const std::string& stat) {
    const auto parts = words(std::string_view(stat).substr(stat.rfind(')') + 1));
    return parts.size() > 3 ? parts[3] : "null";
}

}  // namespace

Result<std::string> live_state(pid_t pid) {
    const auto path = "/proc/" + std::to_string(pid);
    Fd opened{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!opened) return base::system_error(path);
    const Folder folder(std::move(opened));
    const auto status = folder.read("status");
    if (status.empty()) return base::system_error(path + "/status", ESRCH);
    Object object;
    object.add("pid", std::to_string(pid));
    object.add("session", session(folder.read("stat")));
    add_status(object, status);
    object.add("dumpable", folder.dumpable());
    const auto points = folder.read("oom_score_adj");
    object.add("oom_score_adj", points.empty() ? "null" : std::string(trim(points)));
    object.add("root", folder.link("root"));
    object.add("namespaces", folder.links_in("ns"));
    object.add("mounts", mounts(folder.read("mountinfo")));
    object.add("cgroup", quoted(trim(folder.read("cgroup"))));
    object.add("limits", limits(folder.read("limits")));
    object.add("descriptors", folder.links_in("fd"));
    return object.text();
}

}  // namespace jail
