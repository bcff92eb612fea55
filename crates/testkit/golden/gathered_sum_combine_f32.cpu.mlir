module @gathered_sum_combine_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<9x21xf32>, %arg1: tensor<4x2xi32>, %arg2: tensor<9x1xi32>, %arg3: tensor<4x2xf32>, %arg4: tensor<4x21xf32>) -> (tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xf32>) {
    %0 = stablehlo.custom_call @collegium.gathered_sum(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {}} : (tensor<9x21xf32>, tensor<4x2xi32>, tensor<9x1xi32>, tensor<4x2xf32>) -> tensor<4x21xf32>
    %1 = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.reshape %arg3 : (tensor<4x2xf32>) -> tensor<8xf32>
    %3 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<9x1xi32>
    %4 = stablehlo.maximum %arg2, %3 : tensor<9x1xi32>
    %5 = "stablehlo.gather"(%2, %4) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<8xf32>, tensor<9x1xi32>) -> tensor<9x1xf32>
    %6 = stablehlo.custom_call @collegium.gathered_sum(%arg4, %arg2, %arg1, %5) {api_version = 4 : i32, backend_config = {}} : (tensor<4x21xf32>, tensor<9x1xi32>, tensor<4x2xi32>, tensor<9x1xf32>) -> tensor<9x21xf32>
    %7 = stablehlo.custom_call @collegium.gathered_dots(%arg4, %arg0, %arg1, %arg2) {api_version = 4 : i32, backend_config = {}} : (tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xi32>, tensor<9x1xi32>) -> tensor<4x2xf32>
    return %0, %6, %7 : tensor<4x21xf32>, tensor<9x21xf32>, tensor<4x2xf32>
  }
}
