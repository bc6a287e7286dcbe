# SPDX-License-Identifier: Apache-2.0
# `make help` lists what can be built. VARIANT chooses compiler and sanitizers; each has a folder
# of its own under build/, and build/postern is the one for use.

VARIANT ?= release
B := build/$(VARIANT)

comma := ,
WARN := -Wall -Wextra -pedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla \
	-Wundef -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wdouble-promotion
WARN_gcc := -Wlogical-op -Wduplicated-cond -Wjump-misses-init
WARN_clang := -Wcomma -Wunreachable-code -Wassign-enum
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE

COMPILER_release := gcc
COMPILER_clang := clang
COMPILER_asan := clang
COMPILER_tsan := clang
COMPILER_fuzz := clang
FLAGS_release := -O2 -g $(HARDEN)
FLAGS_clang := -O2 -g $(HARDEN)
# What sanitizers report needs lines, and no types: a fifth less to compile, and half the size to link.
FLAGS_asan := -O1 -gline-tables-only -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -gline-tables-only -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz := -O1 -gline-tables-only -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_release := -pie -Wl,-z,relro,-z,now
LINK_clang := -pie -Wl,-z,relro,-z,now
# Hundreds of test programs are linked: lld takes a fifth of the time.
LLD := $(if $(shell command -v ld.lld),-fuse-ld=lld)
LINK_asan := $(LLD)
LINK_tsan := $(LLD)
LINK_fuzz := $(LLD)

FAMILY := $(COMPILER_$(VARIANT))
ifeq ($(FAMILY),)
$(error VARIANT must be release, clang, asan, tsan or fuzz)
endif
# CC names another compiler of the same family; make's own default does not count.
ifeq ($(origin CC),default)
CC := $(FAMILY)
endif
VERSION := $(shell cat VERSION)
CPPFLAGS += -Isrc -Iinclude -I$(B)/gen -D_GNU_SOURCE -DPOSTERN_VERSION='"$(VERSION)"'
CFLAGS += -std=c17 -pthread $(WARN) $(WARN_$(FAMILY)) $(FLAGS_$(VARIANT)) $(WERROR)
LDFLAGS += -pthread $(FLAGS_$(VARIANT)) $(LINK_$(VARIANT))
LDLIBS += -lrocksdb -lsqlite3 -lpq -lcurl -ljansson -lexpat -lmagic -lisal -lseccomp -lssl -lcrypto

# One word for each step; `make V=1` shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '%-5s %s\n' $(1) $(2))

SOURCES := $(sort $(shell find src -name '*.c'))
HEADERS := $(sort $(shell find src include -name '*.h'))
LIB_SOURCES := $(filter-out src/cli/main.c,$(SOURCES))
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(B)/%.o)
# With the folders, so that a file that goes away is noticed too.
WEB_FILES := $(sort $(shell find web))
# What computes long: in release `make test-long` alone has it (UNITS=long), under ASan `make test` as well.
LONG_UNITS := $(addprefix store/test_,in_use killed mend rados rados_dead rados_epoch rados_fold rados_fsck% rados_g% rados_merge rados_split recovery repair same scrub versions%) \
	app/test_ledger% backup/test_backup
# Programs that start no thread: there is nothing for TSan.
ONE_THREAD := http/% oss/% crypto/% library/% backup/test_manifest_row \
	$(addprefix app/test_,clamd credential% events_address file_name jwt key_template kind) \
	$(addprefix base/test_,histogram host shared_library slice text) $(addprefix cli/test_,config ini machine) \
	$(addprefix net/test_,address checked descriptors timers) \
	$(addprefix ops/test_,nonces object_headers part_list post_fields route setting_cache version) \
	$(addprefix store/test_,damaged_record rules scan segment space sums)
# Where memory runs out it is leaks that are looked for.
LEFT_OUT_release := oom/% $(if $(UNITS),,$(LONG_UNITS))
# Nor where what its threads do is done in other programs, too.
LEFT_OUT_tsan := oom/% $(ONE_THREAD) backup/test_backup $(addprefix store/test_,reb% rec% rep% versions% same% cut_log% killed disk_full rados rados_dead rados_epoch rados_fold rados_fsck% rados_merge rados_split)
UNIT_TESTS := $(filter-out $(LEFT_OUT_$(VARIANT)),$(patsubst tests/unit/%.c,%,$(sort $(shell find tests/unit -name 'test_*.c'))))
UNIT_TESTS := $(addprefix $(B)/tests/unit/,$(if $(UNITS),$(filter $(LONG_UNITS),$(UNIT_TESTS)),$(UNIT_TESTS)))
FUZZ_SOURCES := $(sort $(shell find tests/fuzz -name 'fuzz_*.c' 2>/dev/null))
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ_SOURCES))

.PHONY: all
all: build/postern ## build build/postern
	@:

build/postern: build/release/postern
	@ln -f $< $@

# What the packages of the machine must provide is in tools/install-packages.
.PHONY: packages test-packages
packages:
	@tools/install-packages build
test-packages:
	@tools/install-packages build test conformance
	@tools/install-packages firefox || echo "make test: without Firefox" >&2
	@tools/install-packages ceph || echo "make test: without Ceph" >&2

.PHONY: run
run: packages ## install what is missing, build, and run `postern serve`
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@exec build/postern serve

.PHONY: test
test: test-packages ## run every test; ends with `N passed, N failed`
	@tests/run

.PHONY: test-long
test-long: test-packages ## the tests that take many minutes: large files, many files, long unit tests
	@tests/run long

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The pages and scripts of web/ are part of the executable.
$(B)/gen/assets.c: tools/embed.sh $(WEB_FILES)
	@mkdir -p $(@D)
	$(Q)tools/embed.sh web > $@.tmp && mv $@.tmp $@
$(B)/gen/assets.o: $(B)/gen/assets.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/internal.a: $(LIB_OBJECTS) $(B)/gen/assets.o
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(B)/postern: $(B)/src/cli/main.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# libpostern: the parts of src that it is made of, compiled for a shared library. Nothing else is
# seen of them than what lib/postern.map lists.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
L := $(B)/lib
SONAME := libpostern.so.0
LIBRARY_SOURCES := $(wildcard src/library/*.c) lib/uncounted.c $(patsubst %,src/%.c, \
	base/arena base/encode base/slice base/strbuf crypto/digest crypto/hmac crypto/rsa_public \
	crypto/secret http/query oss/callback/callback_signature oss/policy/policy_build \
	oss/sign/credential oss/sign/form_auth oss/sign/sign_text oss/sign/sign_v1 oss/sign/sign_v4 \
	oss/text/iso8601 oss/text/json_text)
LIBRARY_OBJECTS := $(LIBRARY_SOURCES:%.c=$(L)/%.o)

.PHONY: library
library: $(L)/$(SONAME) $(L)/libpostern.a ## build libpostern: build/release/lib
$(L)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$< "(library)")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(L)/$(SONAME): $(LIBRARY_OBJECTS) lib/postern.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-z,defs -Wl,-soname,$(SONAME) \
		-Wl,--version-script=lib/postern.map -o $@ $(LIBRARY_OBJECTS) -lcrypto
	@ln -sf $(SONAME) $(L)/libpostern.so
# One object, in which all names but the public ones are local.
$(L)/libpostern.a: $(LIBRARY_OBJECTS) lib/symbols
	$(call say,AR,$@)
	$(Q)$(LD) -r -o $(L)/postern.o $(LIBRARY_OBJECTS)
	$(Q)objcopy --keep-global-symbols=lib/symbols $(L)/postern.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $(L)/postern.o

.PHONY: install
install: all library ## install the command, libpostern and the manual pages below PREFIX (/usr/local); DESTDIR is put in front
	install -D -m 755 build/postern "$(DESTDIR)$(PREFIX)/bin/postern"
	install -D -m 644 include/postern.h "$(DESTDIR)$(PREFIX)/include/postern.h"
	install -D -m 755 $(L)/$(SONAME) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libpostern.so"
	install -D -m 644 $(L)/libpostern.a "$(DESTDIR)$(LIBDIR)/libpostern.a"
	install -d -m 755 "$(DESTDIR)$(LIBDIR)/pkgconfig"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		lib/libpostern.pc.in > "$(DESTDIR)$(LIBDIR)/pkgconfig/libpostern.pc"
	install -D -m 644 docs/postern.1 "$(DESTDIR)$(PREFIX)/share/man/man1/postern.1"
	install -D -m 644 docs/libpostern.3 "$(DESTDIR)$(PREFIX)/share/man/man3/libpostern.3"

# What programs that are linked against libpostern rely on.
.PHONY: check-abi
check-abi: $(L)/$(SONAME) ## the symbols and types of libpostern are those of lib/
	@tools/check-abi $(L)/$(SONAME)

.PHONY: unit-tests list-unit-tests fuzz-targets
unit-tests: $(UNIT_TESTS)
list-unit-tests:
	@printf '%s\n' $(UNIT_TESTS:$(B)/tests/%=%)
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)
# The suite that every back end of the store runs.
$(B)/tests/unit/store/test_local $(B)/tests/unit/store/test_memory $(B)/tests/unit/store/test_rados: $(B)/tests/unit/store/conformance.o
# Both databases of the ledger.
LEDGER_TESTS := $(filter $(B)/tests/unit/app/test_ledger%,$(UNIT_TESTS))
$(LEDGER_TESTS): $(B)/tests/unit/app/backend.o
$(B)/tests/unit/store/test_wal: LDFLAGS += -Wl,--wrap=pthread_mutex_unlock
# Every allocation fails once.
OOM_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/oom/test_*.c))
$(OOM_TESTS): $(B)/tests/unit/oom/oom.o $(B)/tests/unit/oom/no_sync.o
$(OOM_TESTS): LDFLAGS += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free strdup strndup fdopendir fdopen getline realpath XML_ParserCreate)
# The library in front of the server's calls that tests/torture records, or makes fail.
TORTURE_OBJECTS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/torture/*.c)))
$(TORTURE_OBJECTS): CFLAGS += -fPIC -fno-optimize-sibling-calls
$(B)/tests/torture/recorder.so: $(TORTURE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -o $@ $^
# The library in front of librados with which tests/gateways stops the server at named points; what it stands before
# has another name in the test.
POINTS_OBJECTS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/gateways/*.c)))
$(POINTS_OBJECTS): CFLAGS += -fPIC
$(B)/tests/gateways/librados.real.so:
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -Wl,-soname,librados.real.so -o $@ -x c /dev/null
$(B)/tests/gateways/librados.so.2: $(POINTS_OBJECTS) $(B)/tests/gateways/librados.real.so
	$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,--no-as-needed -o $@ $^
# The server whose allocations fail when a test says so.
$(B)/tests/failing/postern: LDFLAGS += $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup strndup XML_ParserCreate)
$(B)/tests/failing/postern: $(B)/tests/failing/allocations.o $(B)/src/cli/main.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# A cluster of Kafka for the tests of events: in no variant with a sanitizer. TSan does not know the
# threads of librdkafka (thrd_create), and ends in them.
$(B)/tests/kafka/%: FLAGS_$(VARIANT) := $(filter-out -fsanitize% -fno-sanitize%,$(FLAGS_$(VARIANT)))
$(B)/tests/kafka/cluster: $(B)/tests/kafka/cluster.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lrdkafka -ljansson
# Says what is read in requests; a test compares it with another parser.
$(B)/tests/differential/%: $(B)/tests/differential/%.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/tests/%.o $(B)/bench/%.o: CPPFLAGS += -Itests
$(UNIT_TESTS): LDFLAGS += $(LLD)
# What make finds by a chain of rules it would remove again, and compile anew the next time.
.PRECIOUS: $(B)/%.o

# A fuzz target is a libFuzzer program in the variant `fuzz`, and a program that replays the files
# named on its command line in any other.
fuzz-targets: $(FUZZ_TARGETS)
ifeq ($(VARIANT),fuzz)
$(B)/tests/fuzz/fuzz_%: LDFLAGS += -fsanitize=fuzzer
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
else
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
endif

.PHONY: torture
TORTURE_SECONDS ?= 600
torture: test-packages ## cut the power, kill, damage and fill the disk of a store for TORTURE_SECONDS (600)
	@tests/run torture --seconds $(TORTURE_SECONDS)

.PHONY: torture-rados
TORTURE_KILLS ?= 200
torture-rados: test-packages ## kill and stop gateways and OSDs of a Ceph cluster under load TORTURE_KILLS (200) times; takes two hours and more
	@tests/run gateways --kills $(TORTURE_KILLS)

.PHONY: soak
SOAK_SECONDS ?= 3600
soak: test-packages ## everything at once for SOAK_SECONDS (3600), with kills and full disks; memory, descriptors, disk and log must stay flat
	@tests/run soak --seconds $(SOAK_SECONDS)

.PHONY: allocations
allocations: test-packages ## the long form of tests/unit/oom: every pair of allocations fails, or each where `make test` has some
	@tests/run allocations

.PHONY: fuzz
FUZZ_SECONDS ?= 60
fuzz: test-packages ## run each fuzz target for FUZZ_SECONDS (60)
	@tests/fuzz/run $(FUZZ_SECONDS)

.PHONY: fuzz-long
FUZZ_LONG_SECONDS ?= 1800
fuzz-long: test-packages ## run each fuzz target for FUZZ_LONG_SECONDS (1800), and the differential tests longer
	@tests/fuzz/run $(FUZZ_LONG_SECONDS)
	@$(MAKE) --no-print-directory all $(B)/tests/differential/messages
	@DIFFERENTIAL_MESSAGES=5000000 tests/run e2e wire/differential

$(B)/bench/upload_load $(B)/bench/rest_load $(B)/bench/request_load: $(B)/bench/load.o
# Programs that measure one piece of the code: `make build/release/bench/form_bench`.
$(B)/bench/%: $(B)/bench/%.o $(B)/internal.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: bench
bench: test-packages all $(addprefix build/release/bench/,upload_load rest_load store_bench list_bench) ## measure next to nginx and Ceph; writes bench/results/
	@tools/install-packages bench || echo "bench: without Ceph" >&2
	@bench/run

.PHONY: bench-gateways
bench-gateways: test-packages all $(addprefix build/release/bench/,rest_load rados_bench) ## measure a gateway on Ceph next to radosgw, on the same cluster; writes bench/results/
	@tools/install-packages bench
	@bench/gateways

.PHONY: bench-rados
bench-rados: test-packages all build/release/bench/rest_load ## measure a bucket on Ceph that grows to BENCH_KEYS (2000000) keys; writes bench/results/
	@tools/install-packages ceph
	@bench/growth

.PHONY: bench-app
bench-app: test-packages all $(addprefix build/release/bench/,request_load app_requests ledger_bench bare_bench) ## measure the application server next to nginx, OpenSSL, Python and Go; writes bench/results/
	@tools/install-packages samples || echo "bench: without Go" >&2
	@bench/app.py

.PHONY: bench-client
bench-client: test-packages all ## measure the browser client next to fetch, Uppy and plupload; writes bench/results/
	@tests/run npm
	@POSTERN_BIN=build/postern NODE_OPTIONS=--dns-result-order=ipv4first node bench/client/run.mjs

.PHONY: conformance
conformance: test-packages all ## run the official SDKs against the store; writes docs/compatibility.md
	@tests/run npm
	@tests/conformance/run

.PHONY: conformance-gateways
conformance-gateways: test-packages all ## the same against three gateways on Ceph behind nginx, each request to another of them; writes nothing
	@tests/run npm
	@tools/install-packages ceph
	@tests/conformance/run --gateways 3

.PHONY: lint check-layers check-headers check-format check-docs check-configuration check-names check-sizes
lint: check-layers check-headers check-format check-docs check-configuration check-names check-sizes ## layers, headers, format, documentation, names, sizes of the JavaScript client
check-layers:
	@tools/check-layers
check-headers: $(HEADERS:%=$(B)/headers/%.ok)
$(B)/headers/%.ok: %
	@mkdir -p $(@D)
	@echo 'typedef int header_alone;' | $(CC) $(CPPFLAGS) $(CFLAGS) -Werror -fsyntax-only -x c -include $< -
	@touch $@
FORMAT_FILES = $(shell find src include lib examples tests bench -name node_modules -prune -o -name '*.[ch]' -print 2>/dev/null)
check-format:
	@clang-format --dry-run -Werror $(FORMAT_FILES)
check-docs:
	@tools/check-rooms
	@tools/check-licence
	@tools/check-limits
	@tools/check-links
	@tools/check-operations
check-configuration: $(B)/postern
	@$(B)/postern help --markdown | diff -u docs/configuration.md -
# The linker takes the first of two functions of one name that it finds in an archive, and says nothing.
check-names: $(B)/internal.a
	@nm -g --defined-only $< | awk 'NF == 3 && $$2 ~ /^[TDBR]$$/ && seen[$$3]++ { print $$3 " is defined twice"; twice = 1 } END { exit twice }'

# Needs what `tests/run npm` installs.
check-sizes:
	@tools/client-sizes

.PHONY: client-package
client-package: ## the JavaScript client as an npm package: build/client
	@tests/run npm
	@tools/client-package build/client

.PHONY: docs
docs: $(B)/postern ## write docs/configuration.md anew from the options
	@$(B)/postern help --markdown > docs/configuration.md

.PHONY: format
format: ## lay out the C sources with clang-format
	@clang-format -i $(FORMAT_FILES)

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  V=1 shows the commands"
	@echo "  VARIANT=release|clang|asan|tsan|fuzz chooses compiler and sanitizers"

-include $(shell find $(B) -name '*.d' 2>/dev/null)
