module @expert_rows_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<40x6xbf16>, %arg1: tensor<90x1xi32>, %arg2: tensor<40x2xi32>, %arg3: tensor<3x10x6xbf16>, %arg4: tensor<3x10x6xbf16>, %arg5: tensor<3x6x10xbf16>, %arg6: tensor<10xi32>, %arg7: tensor<90xf32>, %arg8: tensor<90x6xbf16>) -> (tensor<90x6xbf16>, tensor<40x6xbf16>, tensor<3x10x6xbf16>, tensor<3x10x6xbf16>, tensor<3x6x10xbf16>, tensor<90xf32>) {
    %0:3 = stablehlo.custom_call @collegium.expert_rows(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6, %arg7) {api_version = 4 : i32, backend_config = {}} : (tensor<40x6xbf16>, tensor<90x1xi32>, tensor<40x2xi32>, tensor<3x10x6xbf16>, tensor<3x10x6xbf16>, tensor<3x6x10xbf16>, tensor<10xi32>, tensor<90xf32>) -> (tensor<90x10xbf16>, tensor<90x10xbf16>, tensor<90x6xbf16>)
    %1:4 = stablehlo.custom_call @collegium.expert_rows_gradient(%arg8, %0#0, %0#1, %arg5, %arg6, %arg7) {api_version = 4 : i32, backend_config = {}} : (tensor<90x6xbf16>, tensor<90x10xbf16>, tensor<90x10xbf16>, tensor<3x6x10xbf16>, tensor<10xi32>, tensor<90xf32>) -> (tensor<90x10xbf16>, tensor<90x10xbf16>, tensor<90x10xbf16>, tensor<90xf32>)
    %2 = stablehlo.custom_call @collegium.gathered_sum(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {}} : (tensor<40x6xbf16>, tensor<90x1xi32>, tensor<40x2xi32>) -> tensor<90x6xbf16>
    %3 = stablehlo.custom_call @collegium.grouped_dot_sum(%1#1, %arg3, %1#2, %arg4, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<90x10xbf16>, tensor<3x10x6xbf16>, tensor<90x10xbf16>, tensor<3x10x6xbf16>, tensor<10xi32>) -> tensor<90x6xbf16>
    %4 = stablehlo.custom_call @collegium.grouped_outer(%arg8, %1#0, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<90x6xbf16>, tensor<90x10xbf16>, tensor<10xi32>) -> tensor<3x6x10xf32>
    %5 = stablehlo.convert %4 : (tensor<3x6x10xf32>) -> tensor<3x6x10xbf16>
    %6 = stablehlo.custom_call @collegium.grouped_outer(%1#1, %2, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<90x10xbf16>, tensor<90x6xbf16>, tensor<10xi32>) -> tensor<3x10x6xf32>
    %7 = stablehlo.convert %6 : (tensor<3x10x6xf32>) -> tensor<3x10x6xbf16>
    %8 = stablehlo.custom_call @collegium.grouped_outer(%1#2, %2, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<90x10xbf16>, tensor<90x6xbf16>, tensor<10xi32>) -> tensor<3x10x6xf32>
    %9 = stablehlo.convert %8 : (tensor<3x10x6xf32>) -> tensor<3x10x6xbf16>
    %10 = stablehlo.custom_call @collegium.gathered_sum(%3, %arg2, %arg1) {api_version = 4 : i32, backend_config = {}} : (tensor<90x6xbf16>, tensor<40x2xi32>, tensor<90x1xi32>) -> tensor<40x6xbf16>
    return %0#2, %10, %7, %9, %5, %1#3 : tensor<90x6xbf16>, tensor<40x6xbf16>, tensor<3x10x6xbf16>, tensor<3x10x6xbf16>, tensor<3x6x10xbf16>, tensor<90xf32>
  }
}
