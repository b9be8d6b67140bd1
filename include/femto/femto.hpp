// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/version.hpp>
#include <femto/vm.hpp>
