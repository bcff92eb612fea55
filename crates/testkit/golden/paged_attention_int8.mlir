module @paged_attention_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x6x32xbf16>, %arg1: tensor<24x2x32xbf16>, %arg2: tensor<24x2x32xbf16>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>) -> (tensor<5x6x32xbf16>) {
    %0 = stablehlo.convert %arg1 : (tensor<24x2x32xbf16>) -> tensor<24x2x32xf32>
    %1 = stablehlo.abs %0 : tensor<24x2x32xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.maximum across dimensions = [2] : (tensor<24x2x32xf32>, tensor<f32>) -> tensor<24x2xf32>
    %4 = stablehlo.constant dense<127.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<24x2xf32>
    %6 = stablehlo.divide %3, %5 : tensor<24x2xf32>
    %7 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<24x2xf32>
    %9 = stablehlo.maximum %6, %8 : tensor<24x2xf32>
    %10 = stablehlo.constant dense<1.0> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<24x2xf32>
    %12 = stablehlo.divide %11, %9 : tensor<24x2xf32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [0, 1] : (tensor<24x2xf32>) -> tensor<24x2x32xf32>
    %14 = stablehlo.multiply %0, %13 : tensor<24x2x32xf32>
    %15 = stablehlo.constant dense<0.5> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<24x2x32xf32>
    %17 = stablehlo.add %14, %16 : tensor<24x2x32xf32>
    %18 = stablehlo.floor %17 : tensor<24x2x32xf32>
    %19 = stablehlo.convert %18 : (tensor<24x2x32xf32>) -> tensor<24x2x32xi8>
    %20 = stablehlo.convert %arg2 : (tensor<24x2x32xbf16>) -> tensor<24x2x32xf32>
    %21 = stablehlo.abs %20 : tensor<24x2x32xf32>
    %22 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %23 = stablehlo.reduce(%21 init: %22) applies stablehlo.maximum across dimensions = [2] : (tensor<24x2x32xf32>, tensor<f32>) -> tensor<24x2xf32>
    %24 = stablehlo.divide %23, %5 : tensor<24x2xf32>
    %25 = stablehlo.maximum %24, %8 : tensor<24x2xf32>
    %26 = stablehlo.divide %11, %25 : tensor<24x2xf32>
    %27 = stablehlo.broadcast_in_dim %26, dims = [0, 1] : (tensor<24x2xf32>) -> tensor<24x2x32xf32>
    %28 = stablehlo.multiply %20, %27 : tensor<24x2x32xf32>
    %29 = stablehlo.add %28, %16 : tensor<24x2x32xf32>
    %30 = stablehlo.floor %29 : tensor<24x2x32xf32>
    %31 = stablehlo.convert %30 : (tensor<24x2x32xf32>) -> tensor<24x2x32xi8>
    %32 = stablehlo.constant dense<4> : tensor<i32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %34 = stablehlo.multiply %arg3, %33 : tensor<2x3xi32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x4xi32>
    %36 = stablehlo.iota dim = 2 : tensor<2x3x4xi32>
    %37 = stablehlo.add %35, %36 : tensor<2x3x4xi32>
    %38 = stablehlo.reshape %37 : (tensor<2x3x4xi32>) -> tensor<2x12xi32>
    %39 = "stablehlo.gather"(%38, %arg4) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 12>}> : (tensor<2x12xi32>, tensor<5xi32>) -> tensor<5x12xi32>
    %40 = stablehlo.iota dim = 2 : tensor<5x1x12xi32>
    %41 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<5xi32>) -> tensor<5x1x12xi32>
    %42 = stablehlo.compare LE, %40, %41, SIGNED : (tensor<5x1x12xi32>, tensor<5x1x12xi32>) -> tensor<5x1x12xi1>
    %43 = "stablehlo.gather"(%19, %39) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<24x2x32xi8>, tensor<5x12xi32>) -> tensor<5x12x2x32xi8>
    %44 = stablehlo.convert %43 : (tensor<5x12x2x32xi8>) -> tensor<5x12x2x32xf32>
    %45 = "stablehlo.gather"(%9, %39) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<24x2xf32>, tensor<5x12xi32>) -> tensor<5x12x2xf32>
    %46 = stablehlo.broadcast_in_dim %45, dims = [0, 1, 2] : (tensor<5x12x2xf32>) -> tensor<5x12x2x32xf32>
    %47 = stablehlo.multiply %44, %46 : tensor<5x12x2x32xf32>
    %48 = stablehlo.transpose %47, dims = [0, 2, 1, 3] : (tensor<5x12x2x32xf32>) -> tensor<5x2x12x32xf32>
    %49 = "stablehlo.gather"(%31, %39) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<24x2x32xi8>, tensor<5x12xi32>) -> tensor<5x12x2x32xi8>
    %50 = stablehlo.convert %49 : (tensor<5x12x2x32xi8>) -> tensor<5x12x2x32xf32>
    %51 = "stablehlo.gather"(%25, %39) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<24x2xf32>, tensor<5x12xi32>) -> tensor<5x12x2xf32>
    %52 = stablehlo.broadcast_in_dim %51, dims = [0, 1, 2] : (tensor<5x12x2xf32>) -> tensor<5x12x2x32xf32>
    %53 = stablehlo.multiply %50, %52 : tensor<5x12x2x32xf32>
    %54 = stablehlo.transpose %53, dims = [0, 2, 1, 3] : (tensor<5x12x2x32xf32>) -> tensor<5x2x12x32xf32>
    %55 = stablehlo.reshape %arg0 : (tensor<5x6x32xbf16>) -> tensor<5x2x3x1x32xbf16>
    %56 = stablehlo.convert %55 : (tensor<5x2x3x1x32xbf16>) -> tensor<5x2x3x1x32xf32>
    %57 = stablehlo.dot_general %56, %48, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x32xf32>, tensor<5x2x12x32xf32>) -> tensor<5x2x3x1x12xf32>
    %58 = stablehlo.constant dense<0.17677669> : tensor<f32>
    %59 = stablehlo.broadcast_in_dim %58, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x12xf32>
    %60 = stablehlo.multiply %57, %59 : tensor<5x2x3x1x12xf32>
    %61 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %62 = stablehlo.broadcast_in_dim %42, dims = [0, 3, 4] : (tensor<5x1x12xi1>) -> tensor<5x2x3x1x12xi1>
    %63 = stablehlo.broadcast_in_dim %61, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x12xf32>
    %64 = stablehlo.select %62, %60, %63 : tensor<5x2x3x1x12xi1>, tensor<5x2x3x1x12xf32>
    %65 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %66 = stablehlo.reduce(%64 init: %65) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x12xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %67 = stablehlo.broadcast_in_dim %66, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x12xf32>
    %68 = stablehlo.subtract %64, %67 : tensor<5x2x3x1x12xf32>
    %69 = stablehlo.exponential %68 : tensor<5x2x3x1x12xf32>
    %70 = stablehlo.constant dense<0.0> : tensor<f32>
    %71 = stablehlo.reduce(%69 init: %70) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x12xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %72 = stablehlo.broadcast_in_dim %71, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x12xf32>
    %73 = stablehlo.divide %69, %72 : tensor<5x2x3x1x12xf32>
    %74 = stablehlo.dot_general %73, %54, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x12xf32>, tensor<5x2x12x32xf32>) -> tensor<5x2x3x1x32xf32>
    %75 = stablehlo.reshape %74 : (tensor<5x2x3x1x32xf32>) -> tensor<5x6x32xf32>
    %76 = stablehlo.convert %75 : (tensor<5x6x32xf32>) -> tensor<5x6x32xbf16>
    return %76 : tensor<5x6x32xbf16>
  }
}
