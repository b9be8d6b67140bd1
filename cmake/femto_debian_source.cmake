# SPDX-License-Identifier: Apache-2.0
# Libraries for boards, which Debian has as source only.
#
#   femto_debian_source(<variable> <package>)
#       unpacks the source package of this machine's release, once for a build folder, and sets
#       <variable> to its folder.
#
# The mirrors and keys are those of the apt that is set up here. The list of sources and what apt
# downloads are in the build folder, so nothing outside changes and nobody has to be root.
function(femto_debian_source variable package)
  set(folder ${CMAKE_BINARY_DIR}/debian-sources)
  set(unpacked ${folder}/${package})
  if(NOT EXISTS ${unpacked})
    file(STRINGS /etc/os-release release REGEX "^VERSION_CODENAME=")
    string(REGEX REPLACE "^VERSION_CODENAME=\"?([a-z]+).*" "\\1" release "${release}")
    execute_process(COMMAND apt-get indextargets --no-release-info "Created-By: Packages"
                            --format "$(RELEASE) $(COMPONENT) $(REPO_URI)"
                    OUTPUT_VARIABLE targets)
    string(REGEX MATCH "(^|\n)(${release}|stable) main ([^\n]+)" found "${targets}")
    if(NOT found)
      message(FATAL_ERROR "femto: apt knows no mirror of Debian ${release}, which has the source of "
                          "${package}. It has:\n${targets}Add a line for it to its sources.")
    endif()
    file(WRITE ${folder}/sources.list "deb-src ${CMAKE_MATCH_3} ${CMAKE_MATCH_2} main\n")
    file(MAKE_DIRECTORY ${folder}/lists/partial ${folder}/cache)
    set(apt apt-get -qq -o Dir::Etc::SourceList=${folder}/sources.list -o Dir::Etc::SourceParts=/dev/null
                    -o Dir::State::Lists=${folder}/lists -o Dir::Cache=${folder}/cache)
    message(STATUS "Fetching Debian's source of ${package}")
    execute_process(COMMAND ${apt} update WORKING_DIRECTORY ${folder} ERROR_VARIABLE log)
    execute_process(COMMAND ${apt} source --download-only ${package} WORKING_DIRECTORY ${folder}
                    OUTPUT_VARIABLE more ERROR_VARIABLE more)
    string(APPEND log "${more}")
    file(GLOB description ${folder}/${package}_*.dsc)
    execute_process(COMMAND dpkg-source --extract ${description} ${unpacked}.new
                    WORKING_DIRECTORY ${folder} OUTPUT_QUIET ERROR_VARIABLE more RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "femto: the source of ${package} cannot be had:\n${log}${more}"
                          "Without it: -DFEMTO_TARGET_TESTS=OFF")
    endif()
    file(RENAME ${unpacked}.new ${unpacked})
  endif()
  set(${variable} ${unpacked} PARENT_SCOPE)
endfunction()
