// SPDX-License-Identifier: MIT
// A configuration as bytes and back; runs in the supervisor, the authenticator and the helpers.
#include "config/serialise.hpp"

#include <cstring>
#include <utility>

namespace config {
namespace {

class Writer {
  public:
    void number(std::uint64_t value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view value) {
        number(value.size());
        bytes_ += value;
    }
    [[nodiscard]] std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    std::uint64_t number() {
        std::uint64_t value = 0;
        if (bytes_.size() < sizeof value) return failed_ = true, 0;
        std::memcpy(&value, bytes_.data(), sizeof value);
        bytes_.remove_prefix(sizeof value);
        return value;
    }
    std::string text() {
        const auto size = number();
        if (size > bytes_.size()) return failed_ = true, std::string{};
        std::string value(bytes_.substr(0, size));
        bytes_.remove_prefix(size);
        return value;
    }
    // How many elements follow; each has at least these bytes, so a larger count is a lie.
    std::size_t count(std::size_t least) {
        const auto value = number();
        if (value > bytes_.size() / least) return failed_ = true, 0;
        return value;
    }
    [[nodiscard]] bool complete() const { return !failed_ && bytes_.empty(); }
    [[nodiscard]] bool failed() const { return failed_; }

  private:
    std::string_view bytes_;
    bool failed_ = false;
};

void put(Writer& out, const Confinement& confinement) {
    out.number(confinement.binds.size());
    for (const auto& bind : confinement.binds) {
        out.text(bind.source);
        out.text(bind.target);
        out.number(bind.writable);
        out.number(bind.no_links);
    }
    out.number(confinement.read_only);
    out.number(confinement.memory);
    out.number(confinement.processes);
    out.number(confinement.cpu_weight);
    out.number(confinement.io_weight);
}

Confinement confinement(Reader& in) {
    Confinement result;
    result.binds.resize(in.count(4 * sizeof(std::uint64_t)));
    for (auto& bind : result.binds) {
        bind.source = in.text();
        bind.target = in.text();
        bind.writable = in.number() != 0;
        bind.no_links = in.number() != 0;
    }
    result.read_only = in.number() != 0;
    result.memory = in.number();
    result.processes = static_cast<std::uint32_t>(in.number());
    result.cpu_weight = static_cast<std::uint32_t>(in.number());
    result.io_weight = static_cast<std::uint32_t>(in.number());
    return result;
}

}  // namespace

std::string serialise(const Configuration& configuration) {
    Writer out;
    out.text(serialise(configuration.options));
    out.number(native_table().size());
    for (const auto& info : native_table()) out.text(value_text(configuration.native, info));
    out.number(configuration.nobody.uid);
    out.number(configuration.nobody.gid);
    out.number(configuration.tenants.size());
    for (const auto& tenant : configuration.tenants) {
        for (const auto* text : {&tenant.name, &tenant.password, &tenant.home, &tenant.overrides})
            out.text(*text);
        out.number(tenant.uid);
        out.number(tenant.gid);
        out.number(tenant.groups.size());
        for (const auto group : tenant.groups) out.number(group);
        put(out, tenant.confinement);
        out.number(tenant.certificates.size());
        for (const auto& name : tenant.certificates) out.text(name);
    }
    out.number(configuration.cert_map.size());
    for (const auto& each : configuration.cert_map) {
        out.text(each.account);
        out.text(each.name);
    }
    out.number(configuration.groups.size());
    for (const auto& group : configuration.groups) {
        out.text(group.name);
        out.number(group.gid);
        put(out, group.confinement);
    }
    out.number(configuration.origins.size());
    for (const auto& origin : configuration.origins) out.text(origin);
    return out.take();
}

base::Result<Configuration> deserialise(std::string_view bytes) {
    Reader in(bytes);
    Configuration configuration;
    TRY(configuration.options, deserialise_options(in.text()));
    if (in.number() != native_table().size())
        return base::Error{"the configuration is of another version"};
    for (const auto& info : native_table()) {
        const auto value = in.text();
        // A user was looked up when the file was read, and may be unknown by now.
        if (info.kind == NativeKind::User) {
            configuration.native.*(std::get<std::string Native::*>(info.field)) = value;
        } else {
            TRY(set_native(configuration.native, info, value));
        }
    }
    configuration.nobody.uid = static_cast<uid_t>(in.number());
    configuration.nobody.gid = static_cast<gid_t>(in.number());
    configuration.tenants.resize(in.count(14 * sizeof(std::uint64_t)));
    for (auto& tenant : configuration.tenants) {
        for (auto* text : {&tenant.name, &tenant.password, &tenant.home, &tenant.overrides})
            *text = in.text();
        tenant.uid = static_cast<uid_t>(in.number());
        tenant.gid = static_cast<gid_t>(in.number());
        tenant.groups.resize(in.count(sizeof(std::uint64_t)));
        for (auto& group : tenant.groups) group = static_cast<gid_t>(in.number());
        tenant.confinement = confinement(in);
        tenant.certificates.resize(in.count(sizeof(std::uint64_t)));
        for (auto& name : tenant.certificates) name = in.text();
        if (in.failed()) break;
    }
    configuration.cert_map.resize(in.count(2 * sizeof(std::uint64_t)));
    for (auto& each : configuration.cert_map) {
        each.account = in.text();
        each.name = in.text();
    }
    configuration.groups.resize(in.count(8 * sizeof(std::uint64_t)));
    for (auto& group : configuration.groups) {
        group.name = in.text();
        group.gid = static_cast<gid_t>(in.number());
        group.confinement = confinement(in);
    }
    configuration.origins.resize(in.count(sizeof(std::uint64_t)));
    for (auto& origin : configuration.origins) origin = in.text();
    if (!in.complete()) return base::Error{"the configuration's bytes are malformed"};
    return configuration;
}

}  // namespace config
