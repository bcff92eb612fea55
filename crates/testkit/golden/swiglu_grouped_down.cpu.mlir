module @swiglu_grouped_down attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<6xf32>, %arg3: tensor<3x4x19xf32>, %arg4: tensor<2xi32>, %arg5: tensor<6x4xf32>) -> (tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>, tensor<3x4x19xf32>) {
    %0 = stablehlo.custom_call @collegium.swiglu(%arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {}} : (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>) -> tensor<6x19xf32>
    %1 = stablehlo.custom_call @collegium.grouped_dot(%0, %arg3, %arg4) {api_version = 4 : i32, backend_config = {weights_transposed = 1 : i64}} : (tensor<6x19xf32>, tensor<3x4x19xf32>, tensor<2xi32>) -> tensor<6x4xf32>
    %2 = stablehlo.custom_call @collegium.grouped_dot(%arg5, %arg3, %arg4) {api_version = 4 : i32, backend_config = {weights_transposed = 0 : i64}} : (tensor<6x4xf32>, tensor<3x4x19xf32>, tensor<2xi32>) -> tensor<6x19xf32>
    %3:4 = stablehlo.custom_call @collegium.swiglu_gradient(%2, %arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>]} : (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>) -> (tensor<6x19xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>)
    %4 = stablehlo.custom_call @collegium.grouped_outer(%arg5, %3#0, %arg4) {api_version = 4 : i32, backend_config = {}} : (tensor<6x4xf32>, tensor<6x19xf32>, tensor<2xi32>) -> tensor<3x4x19xf32>
    return %1, %3#1, %3#2, %3#3, %4 : tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>, tensor<3x4x19xf32>
  }
}
