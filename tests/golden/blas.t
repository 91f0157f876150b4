# OpenBLAS and GSL's gslcblas both define cblas_sgemm; the executor is only fast, and only measures something
# worth measuring, when the dynamic linker gives it the one from OpenBLAS.
. "$abs_srcdir/tests/golden/lib.sh"

LD_BIND_NOW=1 LD_DEBUG=bindings "$FORESIGHT" --version >"$folder/bindings" 2>&1
sgemm=$(grep 'symbol .cblas_sgemm' "$folder/bindings" | grep -F "file $FORESIGHT " | head -n 1)
case $sgemm in
*openblas* | *libblas*) result 0 "cblas_sgemm comes from OpenBLAS" ;;
"") result 1 "the program calls cblas_sgemm" "$folder/bindings" ;;
*)
    echo "$sgemm" >"$folder/line"
    result 1 "cblas_sgemm comes from OpenBLAS" "$folder/line"
    ;;
esac
finish
