module @expert_rows_few_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<40x6xf32>, %arg1: tensor<45x1xi32>, %arg2: tensor<40x2xi32>, %arg3: tensor<3x10x6xf32>, %arg4: tensor<3x10x6xf32>, %arg5: tensor<3x6x10xf32>, %arg6: tensor<5xi32>, %arg7: tensor<45x6xf32>) -> (tensor<45x6xf32>, tensor<40x6xf32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>) {
    %0:3 = stablehlo.custom_call @collegium.expert_rows(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<40x6xf32>, tensor<45x1xi32>, tensor<40x2xi32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>, tensor<5xi32>) -> (tensor<45x10xf32>, tensor<45x10xf32>, tensor<45x6xf32>)
    %1:3 = stablehlo.custom_call @collegium.expert_rows_gradient(%arg7, %0#0, %0#1, %arg5, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<45x6xf32>, tensor<45x10xf32>, tensor<45x10xf32>, tensor<3x6x10xf32>, tensor<5xi32>) -> (tensor<45x10xf32>, tensor<45x10xf32>, tensor<45x10xf32>)
    %2 = stablehlo.custom_call @collegium.gathered_sum(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {}} : (tensor<40x6xf32>, tensor<45x1xi32>, tensor<40x2xi32>) -> tensor<45x6xf32>
    %3 = stablehlo.custom_call @collegium.grouped_dot_sum(%1#1, %arg3, %1#2, %arg4, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<45x10xf32>, tensor<3x10x6xf32>, tensor<45x10xf32>, tensor<3x10x6xf32>, tensor<5xi32>) -> tensor<45x6xf32>
    %4 = stablehlo.custom_call @collegium.grouped_outer(%arg7, %1#0, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<45x6xf32>, tensor<45x10xf32>, tensor<5xi32>) -> tensor<3x6x10xf32>
    %5 = stablehlo.custom_call @collegium.grouped_outer(%1#1, %2, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<45x10xf32>, tensor<45x6xf32>, tensor<5xi32>) -> tensor<3x10x6xf32>
    %6 = stablehlo.custom_call @collegium.grouped_outer(%1#2, %2, %arg6) {api_version = 4 : i32, backend_config = {}} : (tensor<45x10xf32>, tensor<45x6xf32>, tensor<5xi32>) -> tensor<3x10x6xf32>
    %7 = stablehlo.custom_call @collegium.gathered_sum(%3, %arg2, %arg1) {api_version = 4 : i32, backend_config = {}} : (tensor<45x6xf32>, tensor<40x2xi32>, tensor<45x1xi32>) -> tensor<40x6xf32>
    return %0#2, %7, %5, %6, %4 : tensor<45x6xf32>, tensor<40x6xf32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>
  }
}
